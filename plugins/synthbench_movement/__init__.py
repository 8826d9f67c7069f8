"""How far weights have moved from their initialization, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_probes():
    """Provide the weight-movement probe."""
    from synthbench_movement.probe import WeightMovement

    return [WeightMovement]
