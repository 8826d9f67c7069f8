"""Whether one of several trainings of the same replicas is the odd one: an exact test."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

LEVELS = 16
"""Into how many weights replicas are told apart: their sums stay small integers."""


def odd_one_p_value(values: NDArray[np.float64], spreads: NDArray[np.float64]) -> float:
    """Two-sided p-value of Quade's test of the first training against the others.

    values: (R, M), what replica r came to in each of M >= 2 trainings that differ by rounding
    alone; ordered, so that those that never came to it may be inf. spreads: (R,), how far the M
    are apart. Where the first is no other than the rest, each of a replica's M values is as
    likely to be its own, so the null distribution is known exactly, ties and zeros included: the
    sum, over replicas, of the rank within the M, weighted by the rank of the spread. Of two
    trainings it is Wilcoxon's signed-rank test in Pratt's form. 1 where there is no replica.
    Source: Quade 1979; Pratt 1959; Conover 1999, section 5.8.
    """
    count, trainings = values.shape
    if not count:
        return 1.0
    weights = np.ceil(rankdata(spreads) * min(1.0, LEVELS / count)).astype(np.int64)
    # Twice the midranks, less their mean: integers that sum to zero over the trainings.
    ranks = np.rint(2 * rankdata(values, axis=1)).astype(np.int64) - (trainings + 1)
    scores = weights[:, None] * ranks
    chances, middle = np.ones(1), 0
    for row in scores:
        reach = int(np.abs(row).max())
        wider = np.zeros(len(chances) + 2 * reach)
        for score in row.tolist():
            wider[reach + score : reach + score + len(chances)] += chances
        chances, middle = wider / trainings, middle + reach
    place = middle + int(scores[:, 0].sum())
    tail = min(chances[: place + 1].sum(), chances[place:].sum())
    return float(min(2 * tail, 1.0))
