"""Whether an early measurement predicts the time of the transition, on held-out replicas."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthbench.metrics.estimate import Estimate

FOLDS = 5
RESAMPLES = 999


def held_out_concordance(
    early: NDArray[np.float64],
    times: NDArray[np.float64],
    happened: NDArray[np.bool_],
    confidence: float = 0.95,
) -> Estimate | None:
    """Share of pairs of held-out replicas whose transitions an early value puts in order.

    early: (R,) a probe at one moment before any of these transitions. times, happened: (R,)
    right-censored times of the transition. 1/2 is chance, 1 a perfect prediction. Whether a
    high value means early or late is learned on four fifths of the replicas and judged on
    the pairs within the fifth left out; replica r is left out in fold r mod 5. A pair counts
    if one of the two is known to come first; equal values count half. Percentile bootstrap
    over replicas, folds kept. None when no pair can be ordered.
    Source: Harrell et al. 1982.
    """
    first, agreement = _pairs(early, times, happened)
    draws = np.random.default_rng(0)
    weights = draws.multinomial(len(early), np.full(len(early), 1 / len(early)), RESAMPLES)
    values = _judge(first, agreement, np.vstack([np.ones(len(early)), weights]))
    if np.isnan(values[0]):
        return None
    tails = (0.5 - confidence / 2, 0.5 + confidence / 2)
    low, high = np.nanquantile(values[1:], tails)
    return Estimate(value=float(values[0]), low=float(low), high=float(high))


def concordance(
    early: NDArray[np.float64], times: NDArray[np.float64], happened: NDArray[np.bool_]
) -> float | None:
    """Harrell's C, counting a pair as agreeing when the higher value comes later."""
    first, agreement = _pairs(early, times, happened)
    return float(agreement.sum() / first.sum()) if first.any() else None


def _pairs(
    early: NDArray[np.float64], times: NDArray[np.float64], happened: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(R, R): whether row comes before column for sure; and how far the values agree, 0..1.

    Censored at the time of another's transition counts as later, as in Harrell et al.
    """
    sooner = times[:, None] < times[None, :]
    tied = (times[:, None] == times[None, :]) & ~happened[None, :]
    first = (happened[:, None] & (sooner | tied)).astype(float)
    lower = early[:, None] < early[None, :]
    equal = early[:, None] == early[None, :]
    return first, first * (lower + equal / 2)


def _judge(
    first: NDArray[np.float64], agreement: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Held-out concordance under each row of replica weights (N, R); NaN without a pair."""
    hits, pairs = np.zeros(len(weights)), np.zeros(len(weights))
    folds = np.arange(weights.shape[1]) % FOLDS
    for fold in range(FOLDS):
        train, test = np.ix_(folds != fold, folds != fold), np.ix_(folds == fold, folds == fold)
        known, new = weights[:, folds != fold], weights[:, folds == fold]
        learned = _total(agreement[train] - first[train] / 2, known)
        count, agreed = _total(first[test], new), _total(agreement[test], new)
        pairs += count
        hits += np.where(learned > 0, agreed, np.where(learned < 0, count - agreed, count / 2))
    return np.where(pairs > 0, hits / np.maximum(pairs, 1), np.nan)


def _total(matrix: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum of weights_i matrix_ij weights_j for each row of weights."""
    return np.asarray(((weights @ matrix) * weights).sum(axis=1))
