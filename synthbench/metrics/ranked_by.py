"""Trajectories ranked by another of their scores, with the progress of that score."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthbench.metrics.arrow_columns import nullable_column
from synthbench.metrics.score_names import base_name
from synthbench.metrics.trajectories import INDEX, Trajectories

Array = NDArray[np.float64]


def progress_of(score: Array, trivial: Array | float, ceiling: Array | float) -> Array:
    """A score on the scale on which the trivial reference is 0 and the ceiling 1: same shape.

    Where nothing that is known beats the trivial reference there is no progress to make: 0.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        progress = (score - trivial) / (np.asarray(ceiling) - trivial)
    none = np.where(np.isfinite(score), 0.0, np.nan)
    return np.where(np.asarray(ceiling) == trivial, none, progress)


def ranked_by(trajectories: Trajectories, score: str, scale: Array) -> Trajectories:
    """The same measurements, ranked by another score: it comes first, `progress` is its own.

    scale: (R, 2), what the trivial reference and the ceiling score in each replica. Progress on
    the training data stays where it is that of the same score, on another test set.
    """
    parts = trajectories.by_replica(score)
    progress = [progress_of(own, *ends) for own, ends in zip(parts, scale, strict=True)]
    columns = {name: trajectories.table[name] for name in (*INDEX, score)}
    columns |= {name: trajectories.table[name] for name in trajectories.table.column_names}
    columns["progress"] = nullable_column(np.concatenate(progress))
    if f"train_{base_name(score)}" not in columns:
        columns.pop("train_progress", None)
    return Trajectories(pa.table(columns))
