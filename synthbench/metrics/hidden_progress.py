"""Hidden progress: how much earlier than the score a probe moved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from synthbench.metrics.change_points import Stages
from synthbench.metrics.time_to_target import first_held
from synthbench.metrics.transition import Transition

HALF = 0.5


@dataclass(frozen=True)
class HiddenProgress:
    """When one replica's probe moved, against its score.

    probe_half: samples at which the probe first held half of its final change. lead:
    log10(midpoint / probe_half), in decades; positive where the probe moved first.
    plateau_fraction: probe_half / onset, below 1 where it moved within the plateau.
    """

    probe_half: float
    lead: float
    plateau_fraction: float | None


def last_transition(transition: Transition, stages: Stages) -> tuple[Transition, float]:
    """The last rise of staged learning, and the samples at which the stage before it began.

    With one rise or none the whole trajectory counts, from 0 samples on.
    """
    rises = [i for i, (a, b) in enumerate(pairwise(stages.levels)) if b > a]
    if len(rises) < 2:
        return transition, 0.0
    last = rises[-1]
    own = replace(transition, onset=stages.onsets[last], midpoint=stages.changes[last])
    return own, stages.changes[last - 1]


def find_hidden_progress(
    samples: NDArray[np.float64],
    probe: NDArray[np.float64],
    transition: Transition,
    hold: int = 2,
    since: float = 0.0,
) -> HiddenProgress | None:
    """Measure the lead of a probe over the score in one replica.

    samples, probe: (E,) at its evaluation points; transition: of its progress. The probe's
    change is taken from its first finite value, `since` samples or later, to its value at the
    completion of the transition, so that what it does before and afterwards does not count;
    it may rise or fall. None when the transition does not complete, or the probe ends where
    it began.
    """
    finite = np.flatnonzero(np.isfinite(probe) & (samples >= since))
    if transition.completion is None or transition.midpoint is None or not len(finite):
        return None
    end = int(np.searchsorted(samples, transition.completion))
    start, final = probe[finite[0]], probe[end]
    if not np.isfinite(final) or final == start:
        return None
    # A change of the smallest size there is.
    with np.errstate(over="ignore"):
        passed = ((probe - start) / (final - start) >= HALF) & (samples >= since)
    index = first_held(passed, hold)
    if index is None or samples[index] <= 0 or transition.midpoint <= 0:
        return None
    half, onset = float(samples[index]), transition.onset
    return HiddenProgress(
        probe_half=half,
        lead=float(np.log10(transition.midpoint / half)),
        plateau_fraction=half / onset if onset else None,
    )
