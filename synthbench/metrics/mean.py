"""Means and medians over replicas, with intervals."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import quantile_test, t

from synthbench.metrics.estimate import Estimate


def mean_estimate(values: NDArray[np.float64], confidence: float = 0.95) -> Estimate:
    """Mean of (R,) values with Student's t interval; no interval for a single value."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Estimate(value=mean, low=None, high=None)
    half = float(t.ppf(0.5 + confidence / 2, len(values) - 1) * np.std(values, ddof=1))
    half /= len(values) ** 0.5
    return Estimate(value=mean, low=mean - half, high=mean + half)


def median_estimate(values: NDArray[np.float64], confidence: float = 0.95) -> Estimate:
    """Median of (R,) values with the exact interval between order statistics.

    An end is None when there are too few values to bound the median on that side. Source:
    the sign test (Conover 1999, section 3.2), through `scipy.stats.quantile_test`.
    """
    if not len(values):
        return Estimate(value=None, low=None, high=None)
    low, high = _median_ranks(len(values), confidence)
    ordered = np.sort(values)
    return Estimate(
        value=float(np.median(values)),
        low=None if low is None else float(ordered[low]),
        high=None if high is None else float(ordered[high]),
    )


@lru_cache(maxsize=1024)
def _median_ranks(count: int, confidence: float) -> tuple[int | None, int | None]:
    """Which order statistics, from 0, bound the median; None where none does."""
    # Any: the stubs take the interval for a number.
    test: Any = quantile_test(np.arange(count), q=0, p=0.5)
    interval = test.confidence_interval(confidence)
    low, high = (int(end) if np.isfinite(end) else None for end in (interval.low, interval.high))
    return low, high
