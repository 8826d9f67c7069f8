"""The share of replicas that solve a task."""

from __future__ import annotations

from scipy.stats import binomtest

from synthbench.metrics.estimate import Estimate


def success_rate(solved: int, replicas: int, confidence: float = 0.95) -> Estimate:
    """Share of solved replicas with the Wilson score interval.

    Source: Wilson 1927, through `scipy.stats.binomtest`.

    >>> rate = success_rate(7, 32)
    >>> f"{rate.value:.2f} [{rate.low:.2f}, {rate.high:.2f}]"
    '0.22 [0.11, 0.39]'
    """
    interval = binomtest(solved, replicas).proportion_ci(confidence, method="wilson")
    return Estimate(value=solved / replicas, low=float(interval.low), high=float(interval.high))
