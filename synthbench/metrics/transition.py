"""The transition of one replica: when it starts, how wide and how high it is, whether it lasts.

Everything is read from progress (0 = trivial reference, 1 = ceiling) against training samples.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthbench.metrics.time_to_target import Target, first_held, met_by_replica
from synthbench.metrics.trajectories import Trajectories

ONSET, MIDPOINT, COMPLETION = 0.1, 0.5, 0.9
STEEPEST_WINDOW = 0.1
"""Width, in decades of samples, over which the steepest rise is measured."""


@dataclass(frozen=True)
class Transition:
    """The shape of one trajectory; a time is None when its level is never held.

    onset, midpoint, completion: samples at which progress first holds 10%, 50%, 90% (or the
    target, where that comes first).
    plateau: share of the way to completion, in samples, that was spent before the onset.
    width: log10(completion / onset), in decades.
    sharpness: steepest rise of progress, per decade, over windows of a tenth of a decade.
    height: median progress from completion on, minus median progress before the onset.
    overshoot: highest progress from completion on, minus the last one.
    relapse: largest fall below the highest progress so far, from completion on.
    """

    onset: float | None
    midpoint: float | None
    completion: float | None
    plateau: float | None
    width: float | None
    sharpness: float
    height: float | None
    overshoot: float | None
    relapse: float | None


def find_transition(
    samples: NDArray[np.float64],
    progress: NDArray[np.float64],
    hold: int = 2,
    met: NDArray[np.bool_] | None = None,
) -> Transition:
    """Measure the transition of one replica.

    samples, progress: (E,) at its evaluation points, samples ascending from 0. `hold` is how
    many consecutive evaluations must be at or above a level, so that one lucky evaluation
    does not count. A time is known to the spacing of the evaluation points. met: (E,) where
    the target was met, which completes the transition too, since replicas stop there.
    """
    completed = progress >= COMPLETION
    onset, midpoint, completion = (
        first_held(held, hold)
        for held in (
            progress >= ONSET,
            progress >= MIDPOINT,
            completed if met is None else completed | met,
        )
    )
    if onset is None or completion is None:
        plateau = width = height = overshoot = relapse = None
    else:
        before, after = progress[: max(onset, 1)], progress[completion:]
        plateau = float(samples[onset] / samples[completion]) if samples[completion] else 0.0
        width = _decades(samples[onset], samples[completion])
        height = float(np.median(after) - np.median(before))
        overshoot = float(after.max() - after[-1])
        relapse = float((np.maximum.accumulate(after) - after).max())
    return Transition(
        onset=_at(samples, onset),
        midpoint=_at(samples, midpoint),
        completion=_at(samples, completion),
        plateau=plateau,
        width=width,
        sharpness=_steepest(samples, progress),
        height=height,
        overshoot=overshoot,
        relapse=relapse,
    )


def find_transitions(trajectories: Trajectories, target: Target) -> list[Transition]:
    """`find_transition` of every replica, completed at the target where that is lower."""
    samples = (s.astype(float) for s in trajectories.by_replica("samples"))
    progress, met = trajectories.by_replica("progress"), met_by_replica(trajectories, target)
    return [
        find_transition(s, p, target.hold, m)
        for s, p, m in zip(samples, progress, met, strict=True)
    ]


def _at(samples: NDArray[np.float64], index: int | None) -> float | None:
    return None if index is None else float(samples[index])


def _decades(start: float, stop: float) -> float | None:
    return float(np.log10(stop / start)) if start > 0 else None


def _steepest(samples: NDArray[np.float64], progress: NDArray[np.float64]) -> float:
    """Largest rise over `STEEPEST_WINDOW` decades, by linear interpolation in log samples."""
    seen = samples > 0
    decades, level = np.log10(samples[seen]), progress[seen]
    if len(decades) < 2:
        return 0.0
    starts = np.clip(np.concatenate([decades, decades - STEEPEST_WINDOW]), decades[0], decades[-1])
    stops = np.clip(starts + STEEPEST_WINDOW, decades[0], decades[-1])
    rise = np.interp(stops, decades, level) - np.interp(starts, decades, level)
    return float(max(rise.max() / STEEPEST_WINDOW, 0.0))
