"""What a board shows of a cell beyond its ranked score: other lengths, and training data."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from synthbench.metrics.estimate import Estimate
from synthbench.metrics.grokking import find_grokking
from synthbench.metrics.longest_solved import Bools, LongestSolved, longest_solved
from synthbench.metrics.mean import median_estimate
from synthbench.metrics.ranked_by import progress_of
from synthbench.metrics.score_names import base_name, scored_on
from synthbench.results.measured_cell import MeasuredCell


def longest_of(cell: MeasuredCell, lengths: Mapping[str, int]) -> LongestSolved | None:
    """Of a cell whose test sets have these lengths; None where all have the same.

    A length is solved if the last evaluations, as many as the protocol's hold, meet the target.
    """
    if len(set(lengths.values())) < 2:
        return None
    met: dict[int, Bools] = {}
    for name, length in lengths.items():
        here = _solved_at_last(cell, name)
        met[length] = met[length] & here if length in met else here
    return longest_solved(met)


def train_gap(cell: MeasuredCell) -> Estimate | None:
    """Median progress on the training set less that on held-out samples, at the end.

    Of the replicas that have one: what a network is worth that never was finite is unknown. None
    where fewer than half do, and where training samples are fresh.
    """
    if "train_progress" not in cell.trajectories.table.column_names:
        return None
    both = (cell.trajectories.by_replica(name) for name in ("train_progress", "progress"))
    gaps = np.array([train[-1] - held[-1] for train, held in zip(*both, strict=True)])
    return _median_of_most(gaps[np.isfinite(gaps)], len(gaps))


def delay(cell: MeasuredCell) -> Estimate | None:
    """Median samples to generalize over those to memorize, of the replicas that did both.

    None where fewer than half did, which would be a median of the lucky ones.
    """
    if "train_progress" not in cell.trajectories.table.column_names:
        return None
    names = ("samples", "train_progress", "progress")
    columns = (cell.trajectories.by_replica(name) for name in names)
    hold = cell.record.target.hold
    found = [find_grokking(s, t, f, hold=hold).ratio for s, t, f in zip(*columns, strict=True)]
    return _median_of_most(np.array([ratio for ratio in found if ratio is not None]), len(found))


def _median_of_most(values: NDArray[np.float64], replicas: int) -> Estimate | None:
    return median_estimate(values) if 2 * len(values) >= replicas else None


def _solved_at_last(cell: MeasuredCell, test_set: str) -> Bools:
    record, target = cell.record, cell.record.target
    score = scored_on(base_name(record.summary.score), test_set)
    solved = []
    for values, scale in zip(cell.trajectories.by_replica(score), record.scale(score), strict=True):
        last = target.met(progress_of(values, *scale), values)[-target.hold :]
        solved.append(len(last) == target.hold and last.all())
    return np.array(solved, bool)
