"""Time to target as survival data: never dropped, never set to the budget."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import CensoredData, ecdf

from synthbench.metrics.estimate import Estimate


def kaplan_meier_median(
    times: NDArray[np.float64], solved: NDArray[np.bool_], confidence: float = 0.95
) -> Estimate:
    """Median time to target of right-censored replicas.

    times: (R,) time of the first solved evaluation, or of the last evaluation if never
    solved. solved: (R,) bool; False marks a censored replica.
    The value is the first time at which the survival curve is at most one half, its interval
    the times at which one half lies inside the curve's pointwise log(-log) band; None where
    the curve (or the band) never gets there.
    Source: Kaplan & Meier 1958; interval by Brookmeyer & Crowley 1982 with the log(-log)
    transformation of Kalbfleisch & Prentice 1980.
    """
    if not solved.any():
        return Estimate(value=None, low=None, high=None)
    data = CensoredData(uncensored=times[solved], right=times[~solved])
    curve = ecdf(data).sf
    if np.all(curve.probabilities == 0):
        # One event time, everyone at it: the band is undefined, the median is not.
        return Estimate(value=float(times[0]), low=float(times[0]), high=float(times[0]))
    with np.errstate(divide="ignore", invalid="ignore"):
        band = curve.confidence_interval(confidence, method="log-log")
    return Estimate(
        value=_first_below_half(curve.quantiles, curve.probabilities),
        low=_first_below_half(curve.quantiles, _lower(band.low.probabilities, curve)),
        high=_first_below_half(curve.quantiles, band.high.probabilities),
    )


def _lower(band: NDArray[np.float64], curve: object) -> NDArray[np.float64]:
    """The band's lower edge, which is undefined (NaN) once the curve is 0: 0 there."""
    probabilities = np.asarray(getattr(curve, "probabilities"))  # noqa: B009
    return np.where(probabilities == 0, 0.0, band)


def _first_below_half(
    times: NDArray[np.float64], survival: NDArray[np.float64]
) -> float | None:
    """The first time at which survival is at most one half; NaN never is."""
    below = np.flatnonzero(survival <= 0.5 + 1e-12)
    return float(times[below[0]]) if len(below) and math.isfinite(times[below[0]]) else None
