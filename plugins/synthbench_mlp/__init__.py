"""Multi-layer perceptrons, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_models():
    """Provide the MLP."""
    from synthbench_mlp.model import MLP

    return [MLP]
