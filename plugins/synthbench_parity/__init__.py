"""Sparse parity, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide the sparse parity task."""
    from synthbench_parity.task import SparseParity

    return [SparseParity]
