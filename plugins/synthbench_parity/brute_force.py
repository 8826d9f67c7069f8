"""Trying every support: as few samples as can be, C(n, k) supports."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthbench_parity.bits import Answer, packed, subsets, sums

if TYPE_CHECKING:
    from numpy.typing import NDArray


def brute_force(x: NDArray[np.uint8], y: NDArray[np.uint8], k: int) -> Answer:
    """The support that errs least on x (m, n) and y (m,), if it is the only one.

    Maximum likelihood, with or without label noise. Every label of every support counts k
    operations.
    """
    supports = subsets(x.shape[1], k)
    errors = np.bitwise_count(sums(packed(x), supports) ^ packed(y[:, None])).sum(axis=1)
    best = np.flatnonzero(errors == errors.min())
    found = tuple(supports[best[0]].tolist()) if len(best) == 1 else None
    return Answer(found, len(supports) * k * len(y))
