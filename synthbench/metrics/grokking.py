"""Grokking: how long a replica had memorized its training data before it generalized."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthbench.metrics.estimate import Estimate
from synthbench.metrics.mean import median_estimate
from synthbench.metrics.survival import median_time
from synthbench.metrics.time_to_target import first_held
from synthbench.metrics.transition import COMPLETION


@dataclass(frozen=True)
class Grokking:
    """Completion on training data against completion on fresh data, in samples.

    ratio: generalized / memorized. duration: samples between the two; for a replica that
    memorized and never generalized, `generalized` and `ratio` are None and the duration, up
    to its last evaluation, is censored.
    """

    memorized: float | None
    generalized: float | None
    ratio: float | None
    duration: float | None
    censored: bool


@dataclass(frozen=True)
class GrokkingSummary:
    """Over the replicas of a cell, in samples; Kaplan-Meier, within the budget.

    memorized, generalized: median times of completion on training and on fresh data. ratio:
    median of the second over the first, over the replicas that did both. never: how many
    memorized and did not generalize in their budget.
    """

    memorized: Estimate
    generalized: Estimate
    ratio: Estimate
    never: int


def summarize_grokking(
    found: Sequence[Grokking], budget: float | NDArray[np.float64]
) -> GrokkingSummary:
    """Summarize one cell; a time that a replica never reached is censored at the budget.

    budget: of all, or (R,) how long each was watched.
    """
    return GrokkingSummary(
        memorized=median_time([g.memorized for g in found], budget),
        generalized=median_time([g.generalized for g in found], budget),
        ratio=median_estimate(np.array([g.ratio for g in found if g.ratio is not None])),
        never=sum(g.censored for g in found),
    )


def find_grokking(
    samples: NDArray[np.float64],
    train: NDArray[np.float64],
    fresh: NDArray[np.float64],
    *,
    level: float = COMPLETION,
    hold: int = 2,
) -> Grokking:
    """Measure memorization in one replica.

    samples: (E,); train, fresh: (E,) progress on its training data and on fresh data. Either
    is complete at the first of `hold` consecutive evaluations at or above `level`.
    """
    memorized, generalized = (
        None if index is None else float(samples[index])
        for index in (first_held(train >= level, hold), first_held(fresh >= level, hold))
    )
    duration = ratio = None
    if memorized is not None:
        duration = (float(samples[-1]) if generalized is None else generalized) - memorized
        if generalized is not None and memorized > 0:
            ratio = generalized / memorized
    censored = memorized is not None and generalized is None
    return Grokking(memorized, generalized, ratio, duration, censored)
