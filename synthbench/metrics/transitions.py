"""The transitions of many replicas: when they happen and what shape they have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from synthbench.metrics.estimate import Estimate
from synthbench.metrics.mean import median_estimate
from synthbench.metrics.quantity import SAMPLES, Quantity
from synthbench.metrics.survival import median_time
from synthbench.metrics.transition import Transition


class TransitionSummary(BaseModel):
    """Medians over replicas; intervals are at 95%.

    onset, midpoint, completion: samples, Kaplan-Meier over all replicas. The shape
    (`Transition` has the units) is over the replicas whose transition completed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    onset: Estimate
    midpoint: Estimate
    completion: Estimate
    completed: int
    plateau: Estimate
    width: Estimate
    sharpness: Estimate
    height: Estimate
    overshoot: Estimate
    relapse: Estimate


TRANSITIONS: tuple[Quantity[TransitionSummary], ...] = (
    Quantity("onset", lambda shape: shape.onset, SAMPLES, "onset\n(10%)"),
    Quantity("midpoint", lambda shape: shape.midpoint, SAMPLES, "midpoint\n(50%)"),
    Quantity("completion", lambda shape: shape.completion, SAMPLES, "completion\n(90%)"),
    Quantity("plateau", lambda shape: shape.plateau, "share", "plateau\n(share of the way)"),
    Quantity("width", lambda shape: shape.width, "decades", "width\n(decades)"),
    Quantity("sharpness", lambda shape: shape.sharpness, "per decade", "sharpness\n(per decade)"),
    Quantity("height", lambda shape: shape.height, "progress", "height"),
    Quantity("overshoot", lambda shape: shape.overshoot, "progress", "overshoot"),
    Quantity("relapse", lambda shape: shape.relapse, "progress", "relapse"),
)


def summarize_transitions(
    transitions: Sequence[Transition], budget: float | NDArray[np.float64]
) -> TransitionSummary:
    """Summarize one cell; a time that a replica never reached is censored at the budget.

    budget: of all, or (R,) how long each was watched.
    """
    completed = [t for t in transitions if t.completion is not None]
    return TransitionSummary(
        onset=median_time([t.onset for t in transitions], budget),
        midpoint=median_time([t.midpoint for t in transitions], budget),
        completion=median_time([t.completion for t in transitions], budget),
        completed=len(completed),
        plateau=_median([t.plateau for t in completed]),
        width=_median([t.width for t in completed]),
        sharpness=_median([t.sharpness for t in completed]),
        height=_median([t.height for t in completed]),
        overshoot=_median([t.overshoot for t in completed]),
        relapse=_median([t.relapse for t in completed]),
    )


def _median(values: Sequence[float | None]) -> Estimate:
    return median_estimate(np.array([value for value in values if value is not None], float))
