"""State-space models and their relatives with a decaying state, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_models():
    """Provide Mamba-2 and RWKV."""
    from synthbench_state_space.mamba2 import Mamba2
    from synthbench_state_space.rwkv import RWKV

    return [Mamba2, RWKV]
