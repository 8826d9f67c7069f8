"""Linear attention whose memory is corrected by the delta rule, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_models():
    """Provide DeltaNet, plain and gated."""
    from synthbench_deltanet.model import DeltaNet

    return [DeltaNet]
