"""Time to target as survival data: never dropped, never set to the budget."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import CensoredData, ecdf

from synthbench.metrics.estimate import Estimate


def kaplan_meier_median(
    times: NDArray[np.float64], solved: NDArray[np.bool_], confidence: float = 0.95
) -> Estimate:
    """Median time to target of right-censored replicas.

    times: (R,) time of the first solved evaluation, or of the end of the budget if never
    solved. solved: (R,) bool; False marks a censored replica.
    The value is the first time at which the survival curve is at most one half, its interval
    the times at which one half lies inside the curve's pointwise log(-log) band; None where
    the curve (or an edge of the band) never gets there. Where the curve is 0 that band is
    undefined, and the exact binomial bound 1 - (alpha / 2)^(1 / R) is its upper edge.
    Source: Kaplan & Meier 1958; interval by Brookmeyer & Crowley 1982 with the log(-log)
    transformation of Kalbfleisch & Prentice 1980.
    """
    if not solved.any():
        return Estimate(value=None, low=None, high=None)
    curve = ecdf(CensoredData(uncensored=times[solved], right=times[~solved])).sf
    points, survival = np.asarray(curve.quantiles), np.asarray(curve.probabilities)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # 0 / 0 where the curve is 1 or 0; scipy warns, the ends are set below.
        warnings.simplefilter("ignore", RuntimeWarning)
        band: Any = curve.confidence_interval(confidence, method="log-log")
    ended = survival == 0
    exact = 1 - ((1 - confidence) / 2) ** (1 / len(times))
    lower = np.where(ended, 0.0, np.asarray(band.low.probabilities))
    upper = np.where(ended, exact, np.asarray(band.high.probabilities))
    return Estimate(
        value=_first_below_half(points, survival),
        low=_first_below_half(points, lower),
        high=_first_below_half(points, upper),
    )


def _first_below_half(times: NDArray[np.float64], survival: NDArray[np.float64]) -> float | None:
    """The first time at which survival is at most one half; NaN never is."""
    below = np.flatnonzero(survival <= 0.5 + 1e-12)
    return float(times[below[0]]) if len(below) else None
