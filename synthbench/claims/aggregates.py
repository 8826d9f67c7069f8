"""Summaries of rows under weights: shares, means, quantiles.

R rows, B weights; each function returns (B,). Undefined rows are left out by who calls.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from synthbench.claims.bounds import Array, Bounds
from synthbench.claims.resampling import SeedWeights
from synthbench.claims.truth import Truth

ROUNDING = 1e-12


def share(truth: Truth, seeds: NDArray[np.intp], weights: SeedWeights) -> Bounds:
    """Share of the rows that meet a condition, with Jeffreys' pseudo-observations.

    Of all weights equal the plain share; the ends of resamples of one cell are draws of
    Beta(hits, misses + 1/2) and Beta(hits + 1/2, misses): between Jeffreys' interval and that of
    Clopper and Pearson.
    """
    ends = [_plain_share(met, seeds, weights) for met in (truth.sure, truth.possible)]
    return mixed(Bounds(*ends), [seeds], weights)


def mixed(shares: Bounds, sides: Sequence[NDArray[np.intp]], weights: SeedWeights) -> Bounds:
    """Shares (B,) corrected for few seeds.

    sides: the seeds of the rows that they are of; of pairs, of both, where the fewer count.
    With one row for each seed a pseudo-observation on the side of each end is all that is needed.
    As far as a seed has many rows, or pairs, its share is itself a mean, and Student's stretch
    takes over, on the log odds.
    """
    if not weights.resampled:
        return shares
    present = np.unique(np.concatenate(sides))
    count = min(len(np.unique(side)) for side in sides)
    total = weights.seeds[:, present].mean(axis=1) * count
    low, high = (
        _mixed_end(end, total, count, weights, above)
        for end, above in ((shares.least, 0), (shares.most, 1))
    )
    return Bounds(low, high)


def _mixed_end(shares: Array, total: Array, count: int, weights: SeedWeights, above: int) -> Array:
    """One end of a share, with the pseudo-observation on its own side: above 0 or 1."""
    pseudo, binary = weights.pseudo_of(shares, count)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (total * shares + above * pseudo[:, above]) / (total + pseudo[:, above])
        # Rounding may have carried it beyond, where there are no odds.
        found = np.clip(found, 0.0, 1.0)
        if binary == 1:
            return np.asarray(found)
        stretch = 1 + (weights.stretch(count) - 1) * (1 - binary)
        odds = logit(found)
        middle = np.median(odds[~np.isnan(odds)])
        return np.asarray(expit(middle + stretch * (odds - middle)))


def mean(values: Bounds, seeds: NDArray[np.intp], weights: SeedWeights) -> Bounds:
    """Weighted mean, whose deviations from the plain one are stretched as Student's are.

    Of numbers of which none is negative by their ratio: most are skewed, and so is their mean.
    """
    rows = weights.seeds[:, seeds]
    stretch = weights.stretch(len(np.unique(seeds))) if weights.resampled else None
    ends = [_stretched_mean(end, rows, stretch, values.floor) for end in _ends(values)]
    return Bounds(ends[0], ends[-1])


def quantile(level: float, values: Bounds, seeds: NDArray[np.intp], weights: SeedWeights) -> Bounds:
    """The first value at which a share `level` of the weight is reached.

    Where rows are known or lie beyond what was watched, by Kaplan and Meier, and what is not
    reached lies between the first censored row and infinity; of others, the quantiles of both
    ends. One pseudo-observation lies below all rows and one above, by which resamples of a
    quantile have the law of the order statistics: P(all n rows are on one side) at level 1/2 is
    that of the sign test. Source: Kaplan & Meier 1958; Rubin 1981.
    """
    never = values.most == np.inf
    if (never | (values.least == values.most)).all():
        return _kaplan_meier(level, values, seeds, weights)
    ends = [_kaplan_meier(level, Bounds.exact(end), seeds, weights) for end in _ends(values)]
    return Bounds(ends[0].least, ends[1].most)


def _ends(values: Bounds) -> list[Array]:
    return [values.least] if values.is_exact else [values.least, values.most]


def _stretched_mean(values: Array, rows: Array, stretch: Array | None, floor: float) -> Array:
    infinite = np.isinf(values)
    total = rows.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = rows @ np.where(infinite, 0.0, values) / total
        if stretch is not None and not infinite.all():
            plain = values[~infinite].mean()
            if floor == 0 and plain > 0:
                found = plain * (found / plain) ** stretch
            else:
                found = plain + stretch * (found - plain)
    return np.where(total > 0, np.where(rows @ infinite > 0, np.inf, found), np.nan)


def _kaplan_meier(
    level: float, values: Bounds, seeds: NDArray[np.intp], weights: SeedWeights
) -> Bounds:
    rows, pseudo = weights.seeds[:, seeds], _pseudo_of_quantile(level, values, seeds, weights)
    happened = values.most < np.inf
    # Solved before censored at the same time, as in Kaplan & Meier.
    order = np.lexsort((~happened, values.least))
    counts, times, events = rows[:, order], values.least[order], happened[order]
    at_risk = np.cumsum(counts[:, ::-1], axis=1)[:, ::-1] + pseudo[:, 1:]
    total = at_risk[:, 0] + pseudo[:, 0]
    with np.errstate(invalid="ignore", divide="ignore"):
        left = 1 - np.where(at_risk > 0, counts * events / at_risk, 0.0)
        begin = at_risk[:, 0] / total
    survival, needed = begin[:, None] * np.cumprod(left, axis=1), 1 - level + ROUNDING
    reached = survival <= needed
    at = times[reached.argmax(axis=1)]
    first, beyond = begin <= needed, ~reached.any(axis=1)
    least = np.where(beyond, _beyond(counts, times, events), at)
    most = np.where(beyond, np.inf, at)
    undefined = total == 0
    low, high = np.where(first, values.floor, least), np.where(first, times[0], most)
    return Bounds(np.where(undefined, np.nan, low), np.where(undefined, np.nan, high))


def _pseudo_of_quantile(
    level: float, values: Bounds, seeds: NDArray[np.intp], weights: SeedWeights
) -> Array:
    """(B, 2) weights of the pseudo-observations, in weights of rows."""
    count = len(np.unique(seeds))
    if count == len(seeds):
        return weights.pseudo
    below = values.least <= np.quantile(values.least, level, method="inverted_cdf")
    shares = _plain_share(below, seeds, weights)
    return weights.pseudo_of(shares, count)[0] * (len(seeds) / count)


def _plain_share(met: NDArray[np.bool_], seeds: NDArray[np.intp], weights: SeedWeights) -> Array:
    rows = weights.seeds[:, seeds]
    with np.errstate(invalid="ignore"):
        return np.asarray(rows @ met.astype(float) / rows.sum(axis=1))


def _beyond(counts: Array, times: Array, events: NDArray[np.bool_]) -> Array:
    """Where what was never reached begins: at the first row that was watched no longer."""
    present = counts > 0
    censored = np.where(present & ~events, times, np.inf).min(axis=1)
    last = np.where(present, times, -np.inf).max(axis=1)
    return np.asarray(np.where(np.isfinite(censored), censored, last))
