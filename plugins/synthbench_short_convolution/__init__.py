"""Gated short convolutions on the common trunk, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_models():
    """Provide the gated short convolution."""
    from synthbench_short_convolution.model import ShortConvolution

    return [ShortConvolution]
