"""What is known of a trial so far, and which trials can no longer be the best."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from synthbench.results.measured_cell import MeasuredCell

Key: TypeAlias = tuple[float, float, float]
"""Median samples to target, share unsolved, and progress missing at the end: less is better."""


@dataclass(frozen=True)
class Standing:
    """What training up to some budget has shown of a trial.

    samples: the budget per replica so far. median: of the samples to target; None where it lies
    beyond them. at_least: samples before which the median cannot lie. replicas, solved, diverged:
    counts. progress: median over replicas at their last evaluation. whole: this is the full budget.
    """

    samples: int
    median: float | None
    at_least: float
    replicas: int
    solved: int
    diverged: int
    progress: float
    whole: bool

    @property
    def complete(self) -> bool:
        """Whether no budget would show more: it is spent, or every replica has ended."""
        return self.whole or self.solved + self.diverged == self.replicas

    @property
    def placed(self) -> bool:
        """Whether its median is known, or that it has none."""
        return self.median is not None or self.complete or not self._may_have_median

    @property
    def best_case(self) -> Key:
        """The key at the full budget if all that is still open went as well as it can."""
        if self.complete:
            return self._key
        if self.median is not None:
            median = self.median
        else:
            median = self.at_least if self._may_have_median else math.inf
        return median, self.diverged / self.replicas, -math.inf

    @property
    def worst_case(self) -> Key:
        """The key at the full budget if no other replica solved the task."""
        return self._key if self.complete else (*self._key[:2], math.inf)

    @property
    def _key(self) -> Key:
        median = math.inf if self.median is None else self.median
        return median, 1 - self.solved / self.replicas, -self.progress

    @property
    def _may_have_median(self) -> bool:
        """Whether half of the replicas may still solve it: those that diverged never do."""
        return 2 * (self.replicas - self.diverged) >= self.replicas


def standing_of(measured: MeasuredCell, budget: int, *, whole: bool) -> Standing:
    """What a finished cell shows of its trial; whole: its budget is the trial's full one.

    A replica that has not solved the task by the last of E evaluations, `hold` in a row, may have
    met the target at the last hold - 1 of them, so that its time is that of evaluation
    E - hold + 2 at the least: for hold = 2 the last one.
    """
    summary, points = measured.record.summary, measured.context.points
    hold = int(measured.record.protocol["hold"])
    last = [progress[-1] for progress in measured.trajectories.by_replica("progress")]
    finite = [value for value in last if np.isfinite(value)]
    return Standing(
        samples=budget,
        median=summary.samples_to_target.value,
        at_least=float(points[max(min(len(points) - hold + 1, len(points) - 1), 0)]),
        replicas=summary.replicas,
        solved=summary.solved,
        diverged=summary.diverged,
        progress=float(np.median(finite)) if finite else -math.inf,
        whole=whole,
    )


def contenders(standings: Sequence[Standing | None]) -> list[int]:
    """The places of those that may still turn out best at the full budget.

    None: nothing is known yet. Left out is who at best ends behind what another has at worst.
    """
    bound = min((each.worst_case for each in standings if each is not None), default=None)
    return [
        place
        for place, each in enumerate(standings)
        if each is None or bound is None or each.best_case <= bound
    ]


def ranked(standings: Sequence[Standing]) -> list[int]:
    """Places, the best first; of equals the one that was proposed first.

    A trial that was stopped stands where its median cannot lie before.
    """
    return sorted(
        range(len(standings)),
        key=lambda n: (standings[n].best_case[0], not standings[n].placed, standings[n].worst_case),
    )
