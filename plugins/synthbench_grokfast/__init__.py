"""Grokfast, a filter that amplifies slow gradients before Adam's step, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_optimizers():
    """Provide Grokfast."""
    from synthbench_grokfast.grokfast import Grokfast

    return [Grokfast]
