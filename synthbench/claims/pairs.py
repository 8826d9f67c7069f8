"""Statistics of pairs of rows under weights: concordance, superiority, rank correlation.

A pair counts with the product of its seeds' weights. All are shares of something, and get the
pseudo-observations of a share, so that a perfect order among few seeds is not taken as certain.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthbench.claims.aggregates import mixed
from synthbench.claims.bounds import Array, Bounds
from synthbench.claims.resampling import SeedWeights

Seeds = NDArray[np.intp]


def concordance(x: Bounds, y: Bounds, seeds: Seeds, weights: SeedWeights) -> Bounds:
    """Share of pairs whose order by x is that by y, of those whose order by y is known.

    Equal x, and those that cannot be told apart, count half; a y that never came is later than
    one that did within what was watched. Not defined without such a pair.
    Source: Harrell et al. 1982.
    """
    first = _surely_below(y, y) | ((y.most[:, None] == y.least) & (y.most == np.inf))
    agreement = first * (1 + _surely_below(x, x) - _surely_below(x, x).T.astype(float)) / 2
    return _pair_share(agreement, first.astype(float), (seeds, seeds), weights)


def superiority(
    one: Bounds, other: Bounds, seeds: tuple[Seeds, Seeds], weights: SeedWeights
) -> Bounds:
    """Probability that a row of the first is below one of the second, ties half.

    Pairs of which it is not known, such as two that never got there, are ties.
    Source: Mann & Whitney 1947; Gehan 1965.
    """
    wins, losses = _surely_below(one, other), _surely_below(other, one).T
    never = other.most == np.inf
    wins |= (one.most[:, None] == other.least) & never & (one.most < np.inf)[:, None]
    losses |= (other.most == one.least[:, None]) & (one.most == np.inf)[:, None] & ~never
    hits = (1 + wins - losses.astype(float)) / 2
    return _pair_share(hits, np.ones_like(hits), seeds, weights)


def correlation(x: Bounds, y: Bounds, seeds: Seeds, weights: SeedWeights) -> Bounds:
    """Spearman's correlation of x and y; what never came is above all, in equal ranks.

    Not defined where one of them does not vary, as within a single seed of one cell.
    """
    rows = weights.seeds[:, seeds]
    one, other = (_ranks(values.most, seeds, weights) for values in (x, y))
    total = rows.sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        a, b = (r - (rows * r).sum(axis=1, keepdims=True) / total for r in (one, other))
        covariance, squares = (rows * a * b).sum(axis=1), (rows * a * a).sum(axis=1)
        squares = squares * (rows * b * b).sum(axis=1)
        found = np.where(squares > 0, covariance / np.sqrt(squares), np.nan)
    share = mixed(Bounds.exact((found + 1) / 2), [seeds], weights)
    return Bounds(2 * share.least - 1, 2 * share.most - 1)


def _surely_below(one: Bounds, other: Bounds) -> NDArray[np.bool_]:
    """(R, R'): whether the row is below the column whatever they are."""
    return np.asarray(one.most[:, None] < other.least)


def _pair_share(
    hits: Array, pairs: Array, seeds: tuple[Seeds, Seeds], weights: SeedWeights
) -> Bounds:
    """Weighted sum of hits over that of pairs, both (R, R')."""
    count = weights.seeds.shape[1]
    sides = [np.eye(count)[side] for side in seeds]
    present = np.isin(np.arange(count), np.concatenate(seeds))
    own = weights.seeds * present
    average = own.sum(axis=1, keepdims=True) / present.sum()
    agreed, all_pairs = (_weighted(sides[0].T @ m @ sides[1], own, average) for m in (hits, pairs))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = np.where(all_pairs > 0, agreed / all_pairs, np.nan)
    return mixed(Bounds.exact(found), seeds, weights)


def _weighted(matrix: Array, seeds: Array, average: Array) -> Array:
    """Sum of w_i m_ij w_j; pairs within a seed count w_i times the average.

    With w_i^2, whose mean is twice as large, resamples would count them double.
    """
    within = np.diag(matrix)
    across = ((seeds @ (matrix - np.diag(within))) * seeds).sum(axis=1)
    return np.asarray(across + (seeds * average) @ within)


def _ranks(values: Array, seeds: Seeds, weights: SeedWeights) -> Array:
    """(B, R) weight below each row, and half of that beside it."""
    below = (values[None, :] < values[:, None]) + (values[None, :] == values[:, None]) / 2
    by_seed = below @ np.eye(weights.seeds.shape[1])[seeds]
    return np.asarray(weights.seeds @ by_seed.T)
