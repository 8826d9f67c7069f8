"""Regret: how far a trajectory stays from the ceiling, on average over its budget."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import trapezoid


def regret(
    samples: NDArray[np.float64],
    progress: NDArray[np.float64],
    budget: float,
    *,
    diverged: bool = False,
) -> float:
    """Area between a trajectory and the ceiling over log samples, from 0 to 1.

    samples, progress: (E,) of one replica, samples ascending from 0. The mean of
    1 - progress, clipped to 0..1, over log samples from 1 to `budget`: 0 for a model that is
    at the ceiling from its first sample on, 1 for one that never beats the trivial predictor. What
    was measured at step 0 holds up to the first evaluation, the last measurement up to the
    budget; a replica that diverged is trivial from there on. Between evaluations progress is
    linear in log samples.
    """
    known = np.isfinite(progress)
    if not known.any() or budget <= 1:
        return 1.0
    distance = 1 - np.clip(progress[known], 0.0, 1.0)
    decades = np.log10(np.clip(samples[known], 1.0, budget))
    total = np.log10(budget)
    start = distance[0] * decades[min(1, len(decades) - 1)]
    within = trapezoid(distance[1:], decades[1:])
    rest = (1.0 if diverged else distance[-1]) * (total - decades[-1])
    return float((start + within + rest) / total)
