"""Recall from context, in four forms, as a plugin."""

from synthbench import hookimpl


@hookimpl
def register_tasks():
    """Provide the tasks."""
    from synthbench_recall.fuzzy_recall import FuzzyRecall
    from synthbench_recall.mqar import Mqar
    from synthbench_recall.noisy_recall import NoisyRecall
    from synthbench_recall.selective_copying import SelectiveCopying

    return [Mqar, NoisyRecall, FuzzyRecall, SelectiveCopying]
