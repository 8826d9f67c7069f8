"""Workers on this machine, as a plugin: processes of one thread each."""

from synthbench import hookimpl


@hookimpl
def register_launchers():
    """Provide the launcher."""
    from synthbench_local.launcher import LocalLauncher

    return [LocalLauncher]
