"""Training dynamics: what weights, gradients and curvature do, for any task, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_probes():
    """Provide the probes of weights, gradients and sharpness."""
    from synthbench_dynamics.gradient import Gradient
    from synthbench_dynamics.sharpness import Sharpness
    from synthbench_dynamics.weight_movement import WeightMovement
    from synthbench_dynamics.weight_norm import WeightNorm

    return [WeightMovement, WeightNorm, Gradient, Sharpness]
