"""Hidden progress: how much earlier than the score a probe moved."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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


def find_hidden_progress(
    samples: NDArray[np.float64],
    probe: NDArray[np.float64],
    transition: Transition,
    hold: int = 2,
) -> HiddenProgress | None:
    """Measure the lead of a probe over the score in one replica.

    samples, probe: (E,) at its evaluation points; transition: of its progress. The probe's
    change is taken from its first finite value to its value at the completion of the
    transition, so that what it does afterwards does not count; it may rise or fall. None when
    the transition does not complete, or the probe ends where it began.
    """
    finite = np.flatnonzero(np.isfinite(probe))
    if transition.completion is None or transition.midpoint is None or not len(finite):
        return None
    end = int(np.searchsorted(samples, transition.completion))
    start, final = probe[finite[0]], probe[end]
    if not np.isfinite(final) or final == start:
        return None
    index = first_held((probe - start) / (final - start) >= HALF, hold)
    if index is None or samples[index] <= 0 or transition.midpoint <= 0:
        return None
    half, onset = float(samples[index]), transition.onset
    return HiddenProgress(
        probe_half=half,
        lead=float(np.log10(transition.midpoint / half)),
        plateau_fraction=half / onset if onset else None,
    )
