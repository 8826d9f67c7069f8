"""How large a difference between two models must be for the log-rank test to find it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from synthbench.metrics.time_to_target import TimesToTarget

LARGEST = 1000.0
"""Factors that are looked at: by then a slowed model solves nothing that matters."""
PRECISION = 0.005
"""Relative width to which a factor is found; the statistic is a step function of it."""


def detectable_ratio(
    reached: TimesToTarget, budget: float, level: float = 0.05, power: float = 0.8
) -> float | None:
    """The minimum detectable effect: a ratio of times to target, at least 1.

    The least factor by which a second model with as many replicas may need more samples than this
    one, with its spread (an accelerated-failure-time alternative, censored at the same budget), so
    that the two-sided log-rank test at `level` finds it with probability `power`. None where even
    a model that never solves the task would not be told apart.

    The statistic of the replicas against themselves, slowed down, is taken for the expectation of a
    normal variable with variance 1. Replicas count as independent; those of paired seeds, which
    correlate, find it more often. Source: Lakatos 1988 (expected log-rank statistics), with the
    observed times for the design's distribution.
    """
    wanted = float(norm.ppf(1 - level / 2) + norm.ppf(power))
    low, high = 0.0, float(np.log(LARGEST))
    if log_rank_statistic(reached, slowed(reached, LARGEST, budget)) < wanted:
        return None
    while high - low > PRECISION:
        middle = (low + high) / 2
        found = log_rank_statistic(reached, slowed(reached, float(np.exp(middle)), budget))
        low, high = (low, middle) if found >= wanted else (middle, high)
    return float(np.exp(high))


def slowed(reached: TimesToTarget, factor: float, budget: float) -> TimesToTarget:
    """The same replicas, each of which needs `factor` times as many samples."""
    times = reached.times * factor
    solved = reached.solved & (times <= budget)
    return TimesToTarget(np.where(solved, times, budget), solved)


def log_rank_statistic(first: TimesToTarget, second: TimesToTarget) -> float:
    """The log-rank statistic, about standard normal for equal models; above 0 the first is faster.

    0 where nothing tells them apart. Its square is the statistic of Mantel 1966; ties as there.
    """
    events = np.unique(np.concatenate([r.times[r.solved] for r in (first, second)]))
    risk, deaths = zip(*(_counts(r, events) for r in (first, second)), strict=True)
    all_risk, all_deaths = risk[0] + risk[1], deaths[0] + deaths[1]
    share = risk[0] / all_risk
    spread = (all_risk - all_deaths) / np.maximum(all_risk - 1, 1)
    variance = float((all_deaths * share * (1 - share) * spread).sum())
    excess = float((deaths[0] - all_deaths * share).sum())
    return excess / variance**0.5 if variance > 0 else 0.0


def _counts(
    reached: TimesToTarget, events: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Replicas unsolved just before each event, and those that solve it there: (E,) each."""
    everyone, solved = np.sort(reached.times), np.sort(reached.times[reached.solved])
    at_risk = len(everyone) - np.searchsorted(everyone, events, side="left")
    ends = (np.searchsorted(solved, events, side=side) for side in ("right", "left"))
    after, before = ends
    return at_risk.astype(float), (after - before).astype(float)
