"""Regression in context over classes of functions, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide one task for each class of functions."""
    from synthbench_function_classes.networks import InContextNetworks
    from synthbench_function_classes.sparse import InContextSparseRegression
    from synthbench_function_classes.task import InContextRegression
    from synthbench_function_classes.trees import InContextTrees

    return [InContextRegression, InContextSparseRegression, InContextNetworks, InContextTrees]


@hookimpl
def register_probes():
    """Provide the distance from each reference's predictions."""
    from synthbench_function_classes.probe import Predictors

    return [Predictors]
