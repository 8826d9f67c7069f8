"""Tracking the state of finite automata, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide the task."""
    from synthbench_automata.task import Automaton

    return [Automaton]
