"""When each replica first reached the target, and stayed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthbench.metrics.trajectories import Trajectories


@dataclass(frozen=True)
class Target:
    """When a replica counts as solved: progress held for some evaluations within a budget.

    progress: from 0 (trivial) to 1 (optimal); hold: consecutive evaluations; budget: samples.
    """

    progress: float
    hold: int
    budget: int


@dataclass(frozen=True)
class TimesToTarget:
    """Right-censored times: (R,) samples and (R,) bool; False marks a censored replica."""

    times: NDArray[np.float64]
    solved: NDArray[np.bool_]

    def within(self, budget: float) -> TimesToTarget:
        """The same replicas with no more than `budget` to spend."""
        return TimesToTarget(np.minimum(self.times, budget), self.solved & (self.times <= budget))


def times_to_target(trajectories: Trajectories, target: Target) -> TimesToTarget:
    """Samples to target of every replica.

    A replica solves the task at the first of `target.hold` consecutive evaluations at or
    above `target.progress`. One that never does is censored at the budget, also if it
    diverged earlier: it will not solve the task later, and leaving early must not help.

    The true crossing lies between the evaluation before and the recorded one, at most the
    protocol's resolution (5% by default) or one step earlier. A replica that is solved
    before its first step takes one sample, so that ratios and logarithms exist.
    """
    times, solved = [], []
    samples = trajectories.by_replica("samples")
    for spent, progress in zip(samples, trajectories.by_replica("progress"), strict=True):
        index = first_held(progress >= target.progress, target.hold)
        times.append(target.budget if index is None else max(spent[index], 1))
        solved.append(index is not None)
    return TimesToTarget(np.array(times, float), np.array(solved, bool))


def first_held(above: NDArray[np.bool_], hold: int) -> int | None:
    """Index of the first of `hold` consecutive True values, or None."""
    starts = len(above) - hold + 1
    if starts < 1:
        return None
    held = above[:starts]
    for later in range(1, hold):
        held = held & above[later : later + starts]
    first = int(held.argmax())
    return first if held[first] else None
