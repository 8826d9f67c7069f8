"""Sums of monomials of hidden coordinates, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide the task."""
    from synthbench_staircase.task import Staircase

    return [Staircase]
