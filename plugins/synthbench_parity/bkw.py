"""The algorithm of Blum, Kalai and Wasserman (2003) for parities with noise."""

from __future__ import annotations

from math import log2
from typing import TYPE_CHECKING

import numpy as np

from synthbench_parity.bits import Answer

if TYPE_CHECKING:
    from numpy.typing import NDArray


def bkw(x: NDArray[np.uint8], y: NDArray[np.uint8], k: int) -> Answer:
    """A parity on any number of coordinates, found block by block; k is not used.

    The coordinates are in a = round(lg(n) / 2) blocks, at least two. To find those of one block all
    the others are cleared in turn: samples that agree on a block are added to the first that has
    its value (LF1 of Levieil and Fouque 2006, who also take the Walsh transform of what is left
    for all candidates at once). A sum of 2^(a - 1) labels has the bias (1 - 2 noise)^(2^(a - 1)).
    Adding two samples counts n + 1 operations, a Walsh transform b 2^b.
    """
    n = x.shape[1]
    blocks = np.array_split(np.arange(n), max(2, round(log2(n) / 2)))
    secret, operations = np.zeros(n, np.uint8), 0
    samples = np.column_stack([x, y])
    for block in blocks:
        left = samples
        for other in blocks:
            if other is not block:
                left, added = _cleared(left, other)
                operations += added * (n + 1)
        size = 2 ** len(block)
        operations += size * len(block)
        counts = np.bincount(_numbers(left[:, block]), 1.0 - 2.0 * left[:, -1], minlength=size)
        correlations = walsh(np.asarray(counts, float))
        best = np.flatnonzero(correlations == correlations.max())
        if len(best) > 1:
            return Answer(None, operations)
        secret[block] = int(best[0]) >> np.arange(len(block))[::-1] & 1
    return Answer(tuple(np.flatnonzero(secret).tolist()), operations)


def walsh(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum over v of values[v] (-1)^(u.v) for each u: (2^b,) to (2^b,)."""
    found = values.copy()
    half = 1
    while half < len(found):
        pairs = found.reshape(-1, 2, half)
        found = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], 1).reshape(-1)
        half *= 2
    return found


def _cleared(samples: NDArray[np.uint8], block: NDArray[np.intp]) -> tuple[NDArray[np.uint8], int]:
    """Samples that are 0 on a block, and how many additions that took."""
    numbers = _numbers(samples[:, block])
    values, first, which = np.unique(numbers, return_index=True, return_inverse=True)
    cleared = samples ^ np.where((values == 0)[which, None], 0, samples[first[which]])
    is_first = np.zeros(len(samples), bool)
    is_first[first[values != 0]] = True
    kept = cleared[~is_first]
    return kept.astype(np.uint8), int((numbers[~is_first] != 0).sum())


def _numbers(bits: NDArray[np.uint8]) -> NDArray[np.intp]:
    """(m, b) bits as numbers, the first bit the highest."""
    return np.asarray(bits @ (1 << np.arange(bits.shape[1])[::-1]), np.intp)
