"""Names that a score cannot have, because trajectories have such columns of their own."""

from __future__ import annotations

from collections.abc import Collection

from synthbench.metrics.trajectories import INDEX

TAKEN = frozenset({*INDEX, "loss", "progress", "train_loss", "train_progress"})
"""Columns that a trajectory has already."""


def misnamed(names: Collection[str]) -> str | None:
    """The first name of a task's scores that cannot be that of a column; None where all can.

    `score@name` is of another test set, `probe/name` of a probe, `train_score` of training data.
    """
    for name in names:
        of_training = name.startswith("train_") and name.removeprefix("train_") in names
        if not name or "/" in name or "@" in name or name in TAKEN or of_training:
            return name
    return None
