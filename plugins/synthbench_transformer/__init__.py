"""Transformers, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_models():
    """Provide the transformer."""
    from synthbench_transformer.model import Transformer

    return [Transformer]
