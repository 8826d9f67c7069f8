"""How a summary changes from value to value of a column: slope, power law, order.

K values; the summaries are K numbers (B,) each, one for every weight.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from synthbench.claims.bounds import Array, Bounds


def slope(values: Array, summaries: list[Bounds]) -> Bounds:
    """Least-squares slope of the summaries against the values (K,)."""
    centred = values - values.mean()
    factors = centred / (centred**2).sum()
    least, most = np.zeros_like(summaries[0].least), np.zeros_like(summaries[0].most)
    with np.errstate(invalid="ignore"):
        for factor, summary in zip(factors, summaries, strict=True):
            # A middle value has no part in it, also where its summary is infinite.
            if factor != 0:
                ends = (summary.least, summary.most)
                low, high = ends if factor > 0 else ends[::-1]
                least, most = least + factor * low, most + factor * high
    return Bounds(least, most)


def exponent(values: Array, summaries: list[Bounds]) -> Bounds:
    """Exponent of a power law: the slope of the logarithms."""
    return slope(np.log(values), [summary.log() for summary in summaries])


def monotone(summaries: list[Bounds]) -> Bounds:
    """Kendall's tau-a of summaries in the order of their values: 1 rising, -1 falling.

    Pairs of equal summaries count as neither. Source: Kendall 1938.
    """
    least, most = np.zeros_like(summaries[0].least), np.zeros_like(summaries[0].most)
    pairs = list(combinations(summaries, 2))
    for one, other in pairs:
        known = (one.least == one.most) & (other.least == other.most)
        rise, fall = other.least > one.most, other.most < one.least
        sign = rise.astype(float) - fall
        undefined = np.where(one.defined & other.defined, 0.0, np.nan)
        least += np.where(known | rise, sign, -1.0) + undefined
        most += np.where(known | fall, sign, 1.0) + undefined
    return Bounds(least / len(pairs), most / len(pairs))
