"""An entry on fresh seeds: its estimate beside the submitted one, and whether the two agree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthbench.leaderboard.standings.ranking import (
    CellTimes,
    geometric_mean,
    has_intervals,
    log_samples,
    resampled_medians,
    seed_weights,
)
from synthbench.leaderboard.submissions.fresh import FreshResult
from synthbench.leaderboard.submissions.marks import Mark
from synthbench.metrics.bootstrap import resampling_weights
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.survival import kaplan_meier_median
from synthbench.metrics.time_to_target import TimesToTarget, times_to_target
from synthbench.results.measured_cell import MeasuredCell

Array = NDArray[np.float64]

LEVEL = 0.01
"""P-value, two-sided, below which times that are later on fresh seeds mark an entry."""
PERMUTATIONS = 9999


@dataclass(frozen=True)
class FreshStanding:
    """One entry on fresh seeds.

    result: as it lies beside the submission. times: of each cell. samples: the geometric mean over
    cells of the ratios to what the board's are over, as `Entry.samples` is on the ranked seeds.
    ratio: fresh over submitted, the geometric mean over cells of the ratios of medians. p_value:
    of the hypothesis that ranked and fresh seeds are alike, two-sided. holds: not later on fresh
    seeds beyond chance.
    """

    result: FreshResult
    times: tuple[CellTimes, ...]
    samples: Estimate
    ratio: Estimate
    p_value: float
    holds: bool

    @property
    def unsolved(self) -> bool:
        """Whether it leaves a cell unsolved on them, so that its samples are only a bound."""
        return any(
            kaplan_meier_median(cell.reached.times, cell.reached.solved).value is None
            for cell in self.times
        )

    @property
    def marks(self) -> tuple[Mark, ...]:
        """What a reader should know, where the entry does not hold."""
        if self.holds:
            return ()
        return (
            Mark(
                "fresh",
                f"on {self.result.seeds} fresh seeds it takes {self.ratio.value:.2f} times the "
                f"samples (p = {self.p_value:.1g}): what it shows on the ranked seeds does not "
                "hold on others",
            ),
        )


def fresh_times(result: FreshResult, ranked: Sequence[CellTimes]) -> tuple[CellTimes, ...]:
    """The times on fresh seeds, cell by cell; ranked: those of the submission."""
    found = []
    for cell, own in zip(result.cells, ranked, strict=True):
        solved = np.array([time is not None for time in cell.samples_to_target])
        times = np.array([own.budget if t is None else t for t in cell.samples_to_target], float)
        found.append(CellTimes(TimesToTarget(times, solved), own.budget, own.flops_per_sample))
    return tuple(found)


def stand_on_fresh_seeds(
    result: FreshResult, ranked: Sequence[CellTimes], base: Array
) -> FreshStanding:
    """Compare an entry's fresh seeds with its ranked ones.

    ranked: of its cells. base: (C, 1 + N) or (C, 1) logs of what the board's ratios are over.
    """
    times = fresh_times(result, ranked)
    medians = resampled_medians(times, _own_weights(result.seeds))
    logs = log_samples(times, medians)
    own = log_samples(ranked, resampled_medians(ranked, seed_weights(len(ranked[0].reached.times))))
    p_value, later = alike_p_value([c.reached for c in ranked], [c.reached for c in times])
    intervals = has_intervals(min(result.seeds, len(ranked[0].reached.times)))
    samples, ratio = geometric_mean(logs - base), geometric_mean(logs - own)
    if not intervals:
        samples, ratio = (Estimate(value=e.value, low=None, high=None) for e in (samples, ratio))
    return FreshStanding(result, times, samples, ratio, p_value, not (later and p_value < LEVEL))


def compare_seeds(result: FreshResult, cells: Sequence[MeasuredCell]) -> FreshStanding:
    """The same of a submission that is on no board; samples are relative to the budgets."""
    ranked = [
        CellTimes(
            times_to_target(cell.trajectories, cell.record.target),
            cell.budget,
            cell.record.flops_per_sample,
        )
        for cell in cells
    ]
    budgets = np.log([[float(cell.budget)] for cell in cells])
    return stand_on_fresh_seeds(result, ranked, budgets)


def _own_weights(seeds: int) -> Array:
    """As `seed_weights`, with draws of their own: nothing ties fresh seeds to ranked ones."""
    resamples = len(seed_weights(1)) - 1
    draws = resampling_weights(np.random.default_rng(1), seeds, resamples)
    return np.vstack([np.ones((1, seeds)), draws])


def alike_p_value(
    ranked: Sequence[TimesToTarget], fresh: Sequence[TimesToTarget]
) -> tuple[float, bool]:
    """Two-sided p-value that ranked and fresh seeds are alike, and whether the fresh are later.

    ranked: (C,) of R seeds; fresh: (C,) of N. The log-rank statistic as a sum of scores over the
    fresh seeds and all cells, with whole seeds permuted: a seed is the same in every cell, so that
    what its cells have in common stays together. Exact, up to the number of permutations, where
    seeds are exchangeable: for whoever has not looked at either.
    Source: scores, Peto & Peto 1972; permutation tests, Pesarin 2001, section 7.
    """
    scores = sum(
        (_scores(one, two) for one, two in zip(ranked, fresh, strict=True)),
        np.zeros(len(ranked[0].times) + len(fresh[0].times)),
    )
    count = len(fresh[0].times)
    observed = scores[-count:].sum()
    draws = np.random.default_rng(0)
    permuted = draws.permuted(np.tile(scores, (PERMUTATIONS, 1)), axis=1)[:, -count:].sum(axis=1)
    early = 1 + int((permuted >= observed - 1e-9).sum())
    late = 1 + int((permuted <= observed + 1e-9).sum())
    p_value = min(2 * min(early, late) / (1 + PERMUTATIONS), 1.0)
    return p_value, late < early


def _scores(one: TimesToTarget, two: TimesToTarget) -> Array:
    """(R + N,) log-rank scores: high for early, low for late or censored; their sum is 0."""
    times = np.concatenate([one.times, two.times])
    solved = np.concatenate([one.solved, two.solved])
    events = np.unique(times[solved])
    deaths = ((times[:, None] == events) & solved[:, None]).sum(axis=0)
    reached = times[:, None] >= events
    return np.asarray(solved - reached @ (deaths / reached.sum(axis=0)), float)
