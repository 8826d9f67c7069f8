"""Transformers, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_models():
    """Provide the transformer and its simplified, two-parameter form."""
    from synthbench_transformer.model import Transformer
    from synthbench_transformer.simplified import SimplifiedTransformer

    return [Transformer, SimplifiedTransformer]


@hookimpl
def register_probes():
    """Provide the probe of the simplified transformer."""
    from synthbench_transformer.simplified_weights import SimplifiedWeights

    return [SimplifiedWeights]
