"""Training dynamics: what weights, gradients and curvature do, for any task, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_probes():
    """Provide the probes of weights, gradients, sharpness and degeneracy."""
    from synthbench_dynamics.gradient import Gradient
    from synthbench_dynamics.local_learning_coefficient import LocalLearningCoefficient
    from synthbench_dynamics.sharpness import Sharpness
    from synthbench_dynamics.weight_movement import WeightMovement
    from synthbench_dynamics.weight_norm import WeightNorm

    return [WeightMovement, WeightNorm, Gradient, Sharpness, LocalLearningCoefficient]
