"""The two scales of a board, samples and FLOPs to the target, and what each is relative to.

S submissions, C cells, N bootstrap resamples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthbench.leaderboard.standings.entry import MeasuredSubmission
from synthbench.leaderboard.standings.ranking import (
    CellTimes,
    RankRange,
    geometric_mean,
    has_intervals,
    log_flops,
    log_samples,
    rank_ranges,
    resampled_medians,
    seed_weights,
)
from synthbench.metrics.estimate import Estimate

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Resampled:
    """A submission with its median samples to target.

    medians: (C, 1 + N), of the data itself, then of the resamples; inf beyond the budget.
    """

    measured: MeasuredSubmission
    medians: Array

    @property
    def times(self) -> list[CellTimes]:
        """The times to target of each cell."""
        return [cell.times for cell in self.measured.cells]


@dataclass(frozen=True)
class Scale:
    """What every submission needs, and what that is relative to, as natural logs.

    logs: (S, C, 1 + N). base: (C, 1 + N) of the reference model, or (C, 1) of the budgets.
    """

    logs: Array
    base: Array

    def scores(self, replicas: int) -> list[Estimate]:
        """Of each submission, the geometric mean over cells of its ratios to the base."""
        found = [geometric_mean(own - self.base) for own in self.logs]
        if has_intervals(replicas):
            return found
        return [Estimate(value=score.value, low=None, high=None) for score in found]

    def ranks(self, replicas: int) -> list[RankRange]:
        """The ranks that each submission may have."""
        means = self.logs.mean(axis=1)
        return rank_ranges(means if has_intervals(replicas) else means[:, :1])


def resample(measured: Sequence[MeasuredSubmission], replicas: int) -> list[Resampled]:
    """The submissions with their medians, all over the same resamples of the seeds."""
    weights = seed_weights(replicas)
    return [
        Resampled(one, resampled_medians([cell.times for cell in one.cells], weights))
        for one in measured
    ]


def samples_scale(submissions: Sequence[Resampled], reference: Resampled | None) -> Scale:
    """Samples to target, relative to those of the reference model, or to the budgets."""
    logs = np.stack([log_samples(one.times, one.medians) for one in submissions])
    if reference is not None:
        return Scale(logs, log_samples(reference.times, reference.medians))
    return Scale(logs, np.log(_budgets(submissions[0]))[:, None])


def flops_scale(submissions: Sequence[Resampled], reference: Resampled | None) -> Scale:
    """FLOPs to target, relative to those of the reference model, or of the dearest budgets."""
    if reference is not None:
        price = _prices(reference)
    else:
        price = np.max([_prices(one) for one in submissions], axis=0)
    logs = np.stack([log_flops(one.times, one.medians, price) for one in submissions])
    if reference is not None:
        return Scale(logs, log_flops(reference.times, reference.medians, price))
    return Scale(logs, np.log(_budgets(submissions[0]) * np.maximum(price, 1.0))[:, None])


def _budgets(submission: Resampled) -> Array:
    """Samples of each cell, the same for all submissions: (C,)."""
    return np.array([cell.budget for cell in submission.times], float)


def _prices(submission: Resampled) -> Array:
    """FLOPs of a sample on each cell: (C,)."""
    return np.array([cell.flops_per_sample for cell in submission.times], float)
