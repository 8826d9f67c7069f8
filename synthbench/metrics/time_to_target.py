"""When each replica first reached the target, and stayed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthbench.metrics.trajectories import Trajectories


@dataclass(frozen=True)
class Target:
    """When a replica counts as solved: progress held for some evaluations within a budget.

    progress: from 0 (trivial) to 1 (the ceiling); hold: consecutive evaluations; budget: samples.
    score: the ranked score that counts as solved, in place of progress; higher_is_better: on
    which side of it the ceiling lies.
    """

    progress: float
    hold: int
    budget: int
    score: float | None = None
    higher_is_better: bool = True

    def met(self, progress: NDArray[np.float64], score: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Where the target is met, of the same shape; what is not a number does not meet it.

        progress, score: of the ranked score, of any one shape.
        """
        if self.score is None:
            return progress >= self.progress
        return score >= self.score if self.higher_is_better else score <= self.score


@dataclass(frozen=True)
class TimesToTarget:
    """Right-censored times: (R,) samples and (R,) bool; False marks a censored replica.

    A replica is censored at the end of the budget, unless it was watched for less. since: (R,)
    samples at the evaluation before, between which and its time a replica crossed the target; None
    where times are exact.
    """

    times: NDArray[np.float64]
    solved: NDArray[np.bool_]
    since: NDArray[np.float64] | None = None

    def within(self, budget: float) -> TimesToTarget:
        """The same replicas with no more than `budget` to spend."""
        solved = self.solved & (self.times <= budget)
        return TimesToTarget(np.minimum(self.times, budget), solved, self.since)

    @property
    def all_watched(self) -> bool:
        """Whether all that did not solve it were watched equally long, to the end of the budget."""
        return bool((self.solved | (self.times >= self.times.max())).all())


def times_to_target(
    trajectories: Trajectories, target: Target, watched: NDArray[np.float64] | None = None
) -> TimesToTarget:
    """Samples to target of every replica.

    A replica solves the task at the first of `target.hold` consecutive evaluations that meet
    the target. One that never does is censored at the budget, also if it diverged earlier: it
    will not solve the task later, and leaving early must not help. watched: (R,) samples at
    which each is censored instead, where replicas stopped for another reason.

    The true crossing lies between the evaluation before and the recorded one, at most the
    protocol's resolution (5% by default) or one step earlier. A replica that is solved
    before its first step takes one sample, so that ratios and logarithms exist.
    """
    times, solved, since = [], [], []
    samples = trajectories.by_replica("samples")
    ends = np.full(len(samples), target.budget, float) if watched is None else watched
    for spent, met, end in zip(samples, met_by_replica(trajectories, target), ends, strict=True):
        index = first_held(met, target.hold)
        times.append(end if index is None else max(spent[index], 1))
        solved.append(index is not None)
        since.append(max(spent[index - 1], 1) if index else times[-1])
    return TimesToTarget(np.array(times, float), np.array(solved, bool), np.array(since, float))


def met_by_replica(trajectories: Trajectories, target: Target) -> list[NDArray[np.bool_]]:
    """For each replica, at which of its evaluations the target is met: (E,)."""
    ranked = trajectories.by_replica(trajectories.ranked)
    progress = trajectories.by_replica("progress")
    return [target.met(p, s) for p, s in zip(progress, ranked, strict=True)]


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
