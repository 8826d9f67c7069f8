"""Core and spurious features, and where a network's weights look, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide the task."""
    from synthbench_spurious.task import SpuriousFeatures

    return [SpuriousFeatures]


@hookimpl
def register_probes():
    """Provide the probe of the first layer."""
    from synthbench_spurious.feature_weight import FeatureWeight

    return [FeatureWeight]
