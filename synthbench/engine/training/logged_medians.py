"""What loggers and callbacks of others are told of an evaluation."""

from __future__ import annotations

import math

import numpy as np
import pytorch_lightning as pl
from numpy.typing import NDArray

from synthbench.engine.training.references import Columns


def somebody_reads(trainer: pl.Trainer) -> bool:
    """Whether there is a logger, or a callback of others: Lightning takes its time to log."""
    own = __name__.partition(".")[0]
    others = (c for c in trainer.callbacks if type(c).__module__.partition(".")[0] != own)  # type: ignore[attr-defined]
    return bool(trainer.loggers) or next(others, None) is not None


def medians(columns: Columns) -> dict[str, float]:
    """Of the numbers; a curve is no line of a logger's."""
    numbers = {name: values for name, values in columns.items() if values.ndim == 1}
    return {f"median/{name}": _median(values) for name, values in numbers.items()}


def _median(values: NDArray[np.float64]) -> float:
    """Of the replicas that have a value: one that has stopped may have none."""
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else math.nan
