"""Small real tables with few samples, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide the task."""
    from synthbench_tables.task import SmallTable

    return [SmallTable]
