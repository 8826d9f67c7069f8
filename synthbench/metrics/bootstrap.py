"""Resampling replicas: weights, medians under weights, bias-corrected intervals."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from synthbench.metrics.time_to_target import TimesToTarget

Array = NDArray[np.float64]

RESAMPLES = 1999
FEWEST = 4
"""Replicas of a model below which a bootstrap knows too little to bound anything."""


def resampling_weights(draws: np.random.Generator, count: int, resamples: int) -> Array:
    """How often each of `count` replicas is drawn: (resamples, count)."""
    return draws.multinomial(count, np.full(count, 1 / count), size=resamples).astype(float)


def weighted_medians(reached: TimesToTarget, weights: Array) -> Array:
    """Kaplan-Meier median under each row of replica weights (N, R); inf where censored."""
    # Solved before censored at the same time, as in Kaplan & Meier.
    order = np.lexsort((~reached.solved, reached.times))
    times, solved = reached.times[order], reached.solved[order]
    counts = weights[:, order]
    at_risk = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1]
    left = 1 - np.divide(counts * solved, at_risk, out=np.zeros_like(counts), where=at_risk > 0)
    below = np.cumprod(left, axis=1) <= 0.5 + 1e-12
    return np.where(below.any(axis=1), times[below.argmax(axis=1)], np.inf)


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
