"""Linear attention, with fixed, learned or no decay, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_models():
    """Provide linear attention, retention and gated linear attention."""
    from synthbench_linear_attention.models import GatedLinearAttention, LinearAttention, RetNet

    return [LinearAttention, RetNet, GatedLinearAttention]
