"""Lightning's own callbacks that have no place in a training that measures itself."""

from __future__ import annotations

from collections.abc import Sequence

import pytorch_lightning as pl
from pytorch_lightning import callbacks

from synthbench.errors import ConfigurationError

CHANGES_TRAINING = "it changes the training, which the model's recipe describes alone"
REFUSED: dict[type[pl.Callback], str] = {
    callbacks.Checkpoint: "checkpoints are SynthBench's own; keep weights with "
    "Settings(keep_weights=...)",
    callbacks.ProgressBar: "progress is shown by SynthBench, or Settings(listener=...)",
    callbacks.EarlyStopping: "SynthBench stops each replica itself, by Protocol(until=...)",
    callbacks.Timer: "SynthBench stops each replica itself, by Protocol(budget=...)",
    callbacks.BaseFinetuning: CHANGES_TRAINING,
    callbacks.BatchSizeFinder: CHANGES_TRAINING,
    callbacks.GradientAccumulationScheduler: CHANGES_TRAINING,
    callbacks.LearningRateFinder: CHANGES_TRAINING,
    callbacks.ModelPruning: CHANGES_TRAINING,
    callbacks.SpikeDetection: CHANGES_TRAINING,
    callbacks.StochasticWeightAveraging: CHANGES_TRAINING,
    callbacks.WeightAveraging: CHANGES_TRAINING,
}


def check_callbacks(given: Sequence[pl.Callback]) -> None:
    """Raise ConfigurationError for a callback that cannot be used, and say what to do instead."""
    for callback in given:
        for kind, reason in REFUSED.items():
            if isinstance(callback, kind):
                name = type(callback).__name__
                raise ConfigurationError(f"leave out the callback {name}: {reason}")
