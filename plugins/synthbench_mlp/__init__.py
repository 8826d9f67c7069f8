"""Multi-layer perceptrons, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_models():
    """Provide the MLP, the residual MLP and the mixture of experts."""
    from synthbench_mlp.mixture_model import MoEMLP
    from synthbench_mlp.model import MLP
    from synthbench_mlp.residual_model import ResidualMLP

    return [MLP, ResidualMLP, MoEMLP]
