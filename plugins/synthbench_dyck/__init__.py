"""Well-nested brackets of bounded depth, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide the task."""
    from synthbench_dyck.task import Dyck

    return [Dyck]
