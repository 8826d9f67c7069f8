"""Single- and multi-index models of Gaussian inputs, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide the task."""
    from synthbench_index_models.task import IndexModel

    return [IndexModel]


@hookimpl
def register_probes():
    """Provide the probe of weak recovery."""
    from synthbench_index_models.direction_overlap import DirectionOverlap

    return [DirectionOverlap]
