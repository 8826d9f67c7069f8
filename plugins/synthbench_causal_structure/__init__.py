"""Sequences with a hidden causal graph, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide the task."""
    from synthbench_causal_structure.task import CausalStructure

    return [CausalStructure]


@hookimpl
def register_probes():
    """Provide the probe of the graph in attention."""
    from synthbench_causal_structure.adjacency import Adjacency

    return [Adjacency]
