"""Workers of a Ray cluster, as a plugin: blocks of replicas as Ray tasks."""

from synthbench import hookimpl


@hookimpl
def register_launchers():
    """Provide the launcher."""
    from synthbench_ray.launcher import RayLauncher

    return [RayLauncher]
