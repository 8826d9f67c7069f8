"""Two submissions of a board side by side, cell by cell, on the same seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from synthbench.leaderboard.standings.board import Board
from synthbench.leaderboard.standings.bounds import Bound, which_way
from synthbench.leaderboard.standings.entry import Entry, EntryCell
from synthbench.leaderboard.standings.ranking import (
    CellTimes,
    geometric_mean,
    has_intervals,
    log_samples,
    resampled_medians,
    seed_weights,
)
from synthbench.metrics.comparison import (
    Comparison,
    log_rank_p_value,
    probability_of_superiority,
    ratio_estimate,
)
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.multiple import holm
from synthbench.metrics.power import detectable_ratio

Array = NDArray[np.float64]
LEVEL, POWER = 0.05, 0.8


@dataclass(frozen=True)
class PairedCell:
    """Both submissions on one cell.

    comparison: the first against the second; below a ratio of 1 the first needs fewer samples.
    p_value: of its log-rank test, by Holm's method over the cells. detectable: the minimum
    detectable effect, the ratio of samples that the test finds 4 times in 5 at these seeds, at the
    level 0.05 over the number of cells; None where not even a model that solves nothing would be
    told from the faster of the two.
    """

    first: EntryCell
    second: EntryCell
    comparison: Comparison
    p_value: float
    detectable: float | None


@dataclass(frozen=True)
class Pair:
    """The first submission against the second.

    samples: geometric mean over cells of the ratios of medians, unsolved cells at the budget;
    bound: "<", ">" or "~" where that is only a bound. p_value: two-sided, of a mean ratio of 1;
    detectable: the mean ratio that it finds 4 times in 5. Both None with too few seeds.
    """

    first: Entry
    second: Entry
    samples: Estimate
    bound: Bound
    p_value: float | None
    detectable: float | None
    cells: tuple[PairedCell, ...]


class Pairs:
    """Pairs of a board's submissions; what each of them has by itself is computed once."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._medians: dict[str, Array] = {}
        self._detectable: dict[str, tuple[float | None, ...]] = {}

    def pair(self, first: Entry, second: Entry) -> Pair:
        """The first against the second, both of the board."""
        ours, theirs = self._medians_of(first), self._medians_of(second)
        logs = log_samples(_times(first), ours) - log_samples(_times(second), theirs)
        samples, p_value, detectable = mean_ratio(logs, self._board.suite.seeds)
        compared = [
            Comparison(
                ratio_of_medians=ratio_estimate(one, two, a.times.reached, b.times.reached),
                superiority=probability_of_superiority(a.times.reached, b.times.reached),
                log_rank=log_rank_p_value(a.times.reached, b.times.reached),
            )
            for one, two, a, b in zip(ours, theirs, first.cells, second.cells, strict=True)
        ]
        adjusted = holm([comparison.log_rank for comparison in compared])
        seen = (self._detectable_of(entry) for entry in (first, second))
        return Pair(
            first=first,
            second=second,
            samples=samples,
            bound=_bound(first, second),
            p_value=p_value,
            detectable=detectable,
            cells=tuple(
                PairedCell(a, b, comparison, p, _of_the_faster(a, b, one, other))
                for a, b, comparison, p, one, other in zip(
                    first.cells, second.cells, compared, adjusted, *seen, strict=True
                )
            ),
        )

    @cached_property
    def _weights(self) -> Array:
        return seed_weights(self._board.suite.seeds)

    def _medians_of(self, entry: Entry) -> Array:
        name = entry.submission.name
        if name not in self._medians:
            self._medians[name] = resampled_medians(_times(entry), self._weights)
        return self._medians[name]

    def _detectable_of(self, entry: Entry) -> tuple[float | None, ...]:
        name = entry.submission.name
        if name not in self._detectable:
            self._detectable[name] = tuple(
                detectable_ratio(t.reached, t.budget, LEVEL / len(entry.cells), POWER)
                for t in _times(entry)
            )
        return self._detectable[name]


def told_apart(pairs: Sequence[Pair]) -> list[bool]:
    """Of pairs looked at together: whether their mean ratios differ from 1, by Holm's method."""
    adjusted = holm([1.0 if pair.p_value is None else pair.p_value for pair in pairs])
    return [p < LEVEL for p in adjusted]


def _times(entry: Entry) -> list[CellTimes]:
    return [cell.times for cell in entry.cells]


def mean_ratio(logs: Array, seeds: int) -> tuple[Estimate, float | None, float | None]:
    """Mean ratio, its p-value and what could be detected; logs: (C, 1 + N) log ratios."""
    mean = geometric_mean(logs)
    if not has_intervals(seeds):
        return Estimate(value=mean.value, low=None, high=None), None, None
    centre, error = float(logs.mean(axis=0)[0]), float(logs.mean(axis=0)[1:].std(ddof=1))
    # Medians are read on a grid: rounding alone must not tell two submissions apart.
    if abs(centre) < 1e-9:
        p_value = 1.0
    else:
        p_value = float(2 * norm.sf(abs(centre) / error)) if error > 0 else 0.0
    least = float(np.exp((norm.ppf(1 - LEVEL / 2) + norm.ppf(POWER)) * error))
    return mean, p_value, least


def _bound(first: Entry, second: Entry) -> Bound:
    """Which way the mean ratio can still go, as on the board."""
    more, less = (entry.solved_cells < len(entry.cells) for entry in (first, second))
    return which_way(more, less)


def _of_the_faster(
    first: EntryCell, second: EntryCell, one: float | None, other: float | None
) -> float | None:
    """What can be detected beside the faster of the two; of equally fast ones, the larger."""
    ours, theirs = _speed(first), _speed(second)
    if ours != theirs:
        return one if ours < theirs else other
    return None if one is None or other is None else max(one, other)


def _speed(cell: EntryCell) -> tuple[float, int]:
    """The median, or where there is none the replicas that solve it: smaller is faster."""
    median = cell.summary.samples_to_target.value
    return (np.inf if median is None else median), -cell.summary.solved
