"""Whether two finished cells of one configuration measured the same where both measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from synthbench.metrics.trajectories import INDEX
from synthbench.results.measured_cell import MeasuredCell

Seeds = tuple[tuple[str, int], ...]


class Conflict(NamedTuple):
    """The first number in which a replica of two cells differs."""

    first: Path
    second: Path
    replica: int
    step: int
    column: str
    values: tuple[object, object]

    def __str__(self) -> str:
        """One line that names both folders."""
        one, other = self.values
        return (
            f"replica {self.replica} has {self.column} {one} at step {self.step} in {self.first}, "
            f"{other} in {self.second}"
        )


def find_conflict(one: MeasuredCell, other: MeasuredCell) -> Conflict | None:
    """The first difference between replicas of equal seeds, at steps that both looked at.

    None where all agree bit for bit, or no seed is in both. Both are of one configuration.
    """
    first, second = (_rows_by_seeds(cell) for cell in (one, other))
    names = _compared(one, other)
    for place, seeds in enumerate(first):
        if seeds in second:
            found = _difference(first[seeds], second[seeds], names)
            if found is not None:
                number = one.record.replicas[place].replica
                return Conflict(one.folder, other.folder, number, *found)
    return None


def _rows_by_seeds(cell: MeasuredCell) -> dict[Seeds, pa.Table]:
    """Each replica's rows, by its seeds, in the order of the replicas."""
    trajectories = cell.trajectories
    lengths = [len(steps) for steps in trajectories.by_replica("step")]
    starts = np.cumsum([0, *lengths])
    return {
        tuple(sorted(replica.seeds.items())): trajectories.table.slice(int(start), length)
        for replica, start, length in zip(cell.record.replicas, starts, lengths, strict=False)
    }


def _compared(one: MeasuredCell, other: MeasuredCell) -> list[str]:
    """The columns of measurements that both have and that mean the same."""
    own, theirs = one.trajectories.table.column_names, set(other.trajectories.table.column_names)
    left_out = set(INDEX)
    if one.record.protocol["resolution"] != other.record.protocol["resolution"]:
        # The mean since an evaluation that was another.
        left_out.add("train_loss")
    return [name for name in own if name in theirs and name not in left_out]


def _difference(
    one: pa.Table, other: pa.Table, names: Sequence[str]
) -> tuple[int, str, tuple[object, object]] | None:
    """Step, column and values of the first difference."""
    places = {step: place for place, step in enumerate(other["step"].to_pylist())}
    for place, step in enumerate(one["step"].to_pylist()):
        if step not in places:
            continue
        for name in names:
            pair = one[name][place].as_py(), other[name][places[step]].as_py()
            if pair[0] != pair[1] and not all(value != value for value in pair):
                return step, name, pair
    return None
