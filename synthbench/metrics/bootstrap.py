"""Resampling replicas: weights, medians under weights, bias-corrected intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from synthbench.metrics.time_to_target import TimesToTarget

Array = NDArray[np.float64]

RESAMPLES = 1999
HALF = 0.5 + 1e-12
FEWEST = 4
"""Replicas of a model below which a bootstrap knows too little to bound anything."""


def resampling_weights(draws: np.random.Generator, count: int, resamples: int) -> Array:
    """How often each of `count` replicas is drawn: (resamples, count)."""
    return draws.multinomial(count, np.full(count, 1 / count), size=resamples).astype(float)


def weighted_medians(reached: TimesToTarget, weights: Array) -> Array:
    """Kaplan-Meier median under each row of replica weights (N, R); inf where censored."""
    order, survival = _weighted_survival(reached, weights)
    below = survival <= HALF
    return np.where(below.any(axis=1), reached.times[order][below.argmax(axis=1)], np.inf)


def interpolated_medians(reached: TimesToTarget, weights: Array) -> Array:
    """`weighted_medians` of the crossings themselves, before the evaluations that saw them.

    The survival curve is taken to fall evenly between two evaluations, as for the median of grouped
    data. Medians that can only be evaluations are too coarse to resample: their bootstrap intervals
    for a ratio cover 90% at 128 replicas where evaluations are 5% apart.
    """
    if reached.since is None:
        return weighted_medians(reached, weights)
    order, survival = _weighted_survival(reached, weights)
    times, since = reached.times[order], reached.since[order]
    later = times[1:] != times[:-1]
    # The first of equal times is a solved one, if there is one; survival is that after the last.
    begins, ends = since[np.append(True, later)], times[np.append(later, True)]
    after = survival[:, np.append(later, True)]
    before = np.hstack([np.ones((len(after), 1)), after[:, :-1]])
    below = after <= HALF
    place = below.argmax(axis=1)[:, None]
    high, low = (np.take_along_axis(curve, place, axis=1)[:, 0] for curve in (before, after))
    share = np.divide(high - 0.5, high - low, out=np.ones_like(high), where=high > low)
    begin, end = begins[place[:, 0]], ends[place[:, 0]]
    return np.where(below.any(axis=1), begin + np.clip(share, 0, 1) * (end - begin), np.inf)


def _weighted_survival(
    reached: TimesToTarget, weights: Array
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Replicas by time (R,), and for each row the share unsolved after each of them (N, R)."""
    # Solved before censored at the same time, as in Kaplan & Meier.
    order = np.lexsort((~reached.solved, reached.times))
    counts, solved = weights[:, order], reached.solved[order]
    at_risk = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
    left = 1 - np.divide(counts * solved, at_risk, out=np.zeros_like(counts), where=at_risk > 0)
    return order, np.cumprod(left, axis=1)


def bias_corrected_interval(
    least: Array, most: Array, value: float | None, confidence: float = 0.95
) -> tuple[float, float]:
    """Bias-corrected percentile interval of an estimate from its resamples.

    least, most: (N,) what each resample bounds the estimate by; the same where it is known.
    value: the estimate itself; None leaves the bias uncorrected. Source: Efron 1987, section 4.
    """
    bias = 0.0 if value is None else _median_bias(least, most, value)
    half = norm.ppf(0.5 + confidence / 2)
    tails = norm.cdf(2 * bias + np.array([-half, half]))
    low = float(np.quantile(least, tails[0], method="inverted_cdf"))
    return low, float(np.quantile(most, tails[1], method="inverted_cdf"))


def _median_bias(least: Array, most: Array, value: float) -> float:
    """Normal quantile of the share of resamples below the value, those equal to it half.

    Resamples that may lie on either side count half too.
    """
    below, above = np.mean(most < value), np.mean(least > value)
    return float(norm.ppf(np.clip((1 + below - above) / 2, 0.01, 0.99)))
