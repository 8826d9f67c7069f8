"""Softmax attention on the common trunk, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_models():
    """Provide attention."""
    from synthbench_attention.model import Attention

    return [Attention]
