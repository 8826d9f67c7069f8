"""Training dynamics: what weights, gradients and curvature do, and barriers between networks."""

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


@hookimpl
def register_measurements():
    """Provide what is measured of several networks."""
    from synthbench_dynamics.mode_connectivity import ModeConnectivity

    return [ModeConnectivity]
