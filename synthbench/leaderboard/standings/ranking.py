"""Ranking: pure functions from times to target to scores, intervals and ranges of ranks.

S submissions, C cells, R replicas, N bootstrap resamples. Definitions and a worked example are
in docs/leaderboard.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from synthbench.metrics.bootstrap import resampling_weights, weighted_medians
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.time_to_target import TimesToTarget

Array = NDArray[np.float64]

RESAMPLES = 999
FEWEST_SEEDS = 6
"""With fewer, resamples vary too little: four seeds give false claims on a quarter of boards."""


@dataclass(frozen=True)
class CellTimes:
    """One submission on one cell: times to target in samples, and what a sample costs.

    budget: samples; unsolved medians are set to it. flops_per_sample: training FLOPs.
    """

    reached: TimesToTarget
    budget: float
    flops_per_sample: float


@dataclass(frozen=True)
class RankRange:
    """The ranks a submission may have: 1 is best. Equal ranges that overlap are ties."""

    low: int
    high: int

    def text(self, to: str = "-") -> str:
        """`2`, or `2-4`; to: what stands between the two."""
        return f"{self.low}" if self.low == self.high else f"{self.low}{to}{self.high}"


def seed_weights(replicas: int, resamples: int = RESAMPLES) -> Array:
    """Weights (1 + N, R) of the seeds: all ones, then the resamples.

    A suite's seeds are the same for all submissions and cells, so whole seeds are resampled:
    one draw serves everyone, and what they have in common cancels. The draws are the same at
    every call.
    """
    draws = resampling_weights(np.random.default_rng(0), replicas, resamples)
    return np.vstack([np.ones((1, replicas)), draws])


def resampled_medians(cells: Sequence[CellTimes], weights: Array) -> Array:
    """Median samples to target, (C, 1 + N); inf where it is beyond the budget."""
    return np.stack([weighted_medians(cell.reached, weights) for cell in cells])


def log_samples(cells: Sequence[CellTimes], medians: Array) -> Array:
    """Natural log of the median samples to target, (C, 1 + N); unsolved cells at the budget."""
    budgets = np.array([cell.budget for cell in cells], float)
    return np.asarray(np.log(np.minimum(medians, budgets[:, None])))


def log_flops(cells: Sequence[CellTimes], medians: Array, prices: Array) -> Array:
    """Natural log of the FLOPs to target, (C, 1 + N).

    prices: (C,) the reference model's FLOPs for a sample. An unsolved cell costs the whole
    budget at the submission's own price or the reference's, whichever is higher: failing
    cheaply is no saving.
    """
    own = np.array([max(cell.flops_per_sample, 1.0) for cell in cells])
    unsolved = np.maximum(own, prices)[:, None]
    prices_paid = np.where(np.isfinite(medians), own[:, None], unsolved)
    return np.asarray(np.log(prices_paid) + log_samples(cells, medians))


def geometric_mean(log_ratios: Array, confidence: float = 0.95) -> Estimate:
    """Geometric mean over cells of ratios to the reference model, with its interval.

    log_ratios: (C, 1 + N), the first column of the data itself, the others of the resamples.
    The interval is the normal one on the log scale with the bootstrap standard error: it covers
    94% to 97% (docs/leaderboard.md); the bias-corrected percentile interval, right for the ratio
    of two medians, covers 91% of means of five cells, the plain one 98%.
    Source: Efron & Tibshirani 1993, section 12.4.
    """
    means = log_ratios.mean(axis=0)
    value = float(means[0])
    half = float(norm.ppf(0.5 + confidence / 2) * means[1:].std(ddof=1))
    low, middle, high = (float(np.exp(value + step)) for step in (-half, 0.0, half))
    return Estimate(value=middle, low=low, high=high)


def rank_ranges(scores: Array, confidence: float = 0.95) -> list[RankRange]:
    """The ranks that the differences of all pairs allow, at once for all submissions.

    scores: (S, 1 + N) mean log time of each, the first column of the data itself; lower is
    better. A submission is behind another where their difference exceeds, in its bootstrap
    standard errors, the quantile of the largest such deviation over all pairs. So with 95%
    confidence every true rank lies in its range.
    Source: Mogstad, Romano, Shaikh & Wilhelm 2024, "Inference for Ranks", section 3.
    """
    count = len(scores)
    if count == 1 or scores.shape[1] == 1:
        return [RankRange(1, count)] * count
    centre = scores[:, 0]
    deviations = scores[:, 1:] - centre[:, None]
    errors = _standard_errors(deviations)
    largest = _largest_deviations(deviations, errors)
    critical = np.quantile(largest, confidence, method="higher")
    difference = centre[:, None] - centre[None, :]
    # Medians are read on a grid: rounding alone must not tell two submissions apart.
    behind = difference > np.maximum(critical * errors, 1e-9)
    better, worse = behind.sum(axis=1), behind.sum(axis=0)
    return [RankRange(1 + int(b), count - int(w)) for b, w in zip(better, worse, strict=True)]


def _standard_errors(deviations: Array) -> Array:
    """Bootstrap standard error of every difference of two scores: (S, S)."""
    covariance = deviations @ deviations.T / deviations.shape[1]
    own = np.diag(covariance)
    # Below: rounding of a difference that does not vary at all.
    variance = own[:, None] + own[None, :] - 2 * covariance
    return np.sqrt(np.where(variance > 1e-12, variance, 0.0))


def _largest_deviations(deviations: Array, errors: Array) -> Array:
    """The largest studentized deviation over all pairs, of each resample: (N,)."""
    inverse = np.divide(1.0, errors, out=np.zeros_like(errors), where=errors > 0)
    gaps = np.empty_like(errors)
    largest = np.empty(deviations.shape[1])
    for index, column in enumerate(deviations.T):
        # In place: with a thousand submissions this is a million pairs, a thousand times.
        np.subtract.outer(column, column, out=gaps)
        np.multiply(gaps, inverse, out=gaps)
        # Every pair is there with both signs.
        largest[index] = gaps.max()
    return largest


def performance_profile(medians: Array) -> Array:
    """Ratio of each time to the best one of its cell: (S, C), inf where unsolved.

    medians: (S, C) samples, inf where unsolved. The profile of a submission at t is the share
    of cells with a ratio of at most t. Source: Dolan & More 2002.
    """
    best = medians.min(axis=0)
    return np.where(np.isfinite(medians), medians / np.where(np.isfinite(best), best, 1.0), np.inf)


def pareto_front(samples: Array, flops: Array) -> NDArray[np.bool_]:
    """(S,) whether no other submission needs fewer of one and no more of the other."""
    fewer = (samples[None, :] <= samples[:, None]) & (flops[None, :] <= flops[:, None])
    strictly = (samples[None, :] < samples[:, None]) | (flops[None, :] < flops[:, None])
    return np.asarray(~(fewer & strictly).any(axis=1))


def has_intervals(replicas: int) -> bool:
    """Whether there are enough replicas to tell submissions apart."""
    return replicas >= FEWEST_SEEDS
