"""The first figures of a cell, computed from its trajectories."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from synthbench.metrics.estimate import Estimate
from synthbench.metrics.proportion import success_rate
from synthbench.metrics.quantity import FLOPS, SAMPLES, STEPS, Quantity
from synthbench.metrics.survival import kaplan_meier_median
from synthbench.metrics.time_to_target import Target, TimesToTarget, times_to_target
from synthbench.metrics.trajectories import Trajectories


class Summary(BaseModel):
    """What the table of a run shows; intervals are at 95%."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    replicas: int
    solved: int
    diverged: int
    success_rate: Estimate
    """Wilson interval."""
    samples_to_target: Estimate
    """Kaplan-Meier median, in training samples."""
    steps_to_target: Estimate
    """The same in optimizer steps."""
    flops_to_target: Estimate
    """The same in training FLOPs (matrix products, convolutions, attention)."""
    score: str
    """Name of the ranked score."""
    final_score: Estimate
    """Median and 10%..90% quantiles, over replicas, of the last ranked score."""


TO_TARGET: tuple[Quantity[Summary], ...] = (
    Quantity("success_rate", lambda cell: cell.success_rate, "share", "solved"),
    Quantity("samples_to_target", lambda cell: cell.samples_to_target, SAMPLES, "median\nsamples"),
    Quantity("steps_to_target", lambda cell: cell.steps_to_target, STEPS, "steps"),
    Quantity("flops_to_target", lambda cell: cell.flops_to_target, FLOPS, "FLOPs"),
)
FINAL_SCORE: Quantity[Summary] = Quantity(
    "final_score", lambda cell: cell.final_score, "score", "final\nscore"
)


def summarize(
    trajectories: Trajectories,
    target: Target,
    *,
    batch_size: int,
    step_flops: int,
    diverged: int,
    independent: Sequence[int] | None = None,
) -> Summary:
    """Summarize one cell.

    step_flops: what one replica spends on one batch. independent: the replicas that estimates
    may use; None takes all.
    """
    return summarize_times(
        trajectories,
        times_to_target(trajectories, target),
        batch_size=batch_size,
        step_flops=step_flops,
        diverged=diverged,
        independent=independent,
    )


def summarize_times(
    trajectories: Trajectories,
    everyone: TimesToTarget,
    *,
    batch_size: int,
    step_flops: int,
    diverged: int,
    independent: Sequence[int] | None = None,
) -> Summary:
    """The same from times to target that are there already."""
    reached = everyone
    if independent is not None:
        chosen = list(independent)
        reached = TimesToTarget(everyone.times[chosen], everyone.solved[chosen])
    samples = kaplan_meier_median(reached.times, reached.solved)
    final = np.array([scores[-1] for scores in trajectories.by_replica(trajectories.ranked)])
    return Summary(
        replicas=len(final),
        solved=int(everyone.solved.sum()),
        diverged=diverged,
        success_rate=success_rate(int(reached.solved.sum()), len(reached.solved)),
        samples_to_target=samples,
        steps_to_target=samples.scaled(1 / batch_size),
        flops_to_target=samples.scaled(step_flops / batch_size),
        score=trajectories.ranked,
        final_score=spread(final),
    )


def spread(final: NDArray[np.float64]) -> Estimate:
    """Median and 10%..90% quantiles, leaving out replicas that never had a finite score."""
    finite = final[np.isfinite(final)]
    if not len(finite):
        return Estimate(value=None, low=None, high=None)
    low, median, high = (float(q) for q in np.quantile(finite, [0.1, 0.5, 0.9]))
    return Estimate(value=median, low=low, high=high)
