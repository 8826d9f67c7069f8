"""Gaussian elimination over GF(2): about n samples, and no label may be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthbench_parity.bits import Answer

if TYPE_CHECKING:
    from numpy.typing import NDArray


def elimination(x: NDArray[np.uint8], y: NDArray[np.uint8], k: int) -> Answer:
    """The solution of x s = y over GF(2), if there is exactly one, whatever its size.

    k is not used. Adding a row to another counts n + 1 operations. Where the equations contradict
    one another, further ones do not reconcile them.
    """
    n = x.shape[1]
    # Row as a number: the label is bit 0, coordinate i is bit n - i.
    weights = 1 << np.arange(n, -1, -1, dtype=object)
    rows = [int(row) for row in np.column_stack([x, y]).astype(object) @ weights]
    pivots: dict[int, int] = {}
    added = 0
    for row in rows:
        for top, pivot in pivots.items():
            if row >> top & 1:
                row ^= pivot
                added += 1
        if row == 1:
            return Answer(None, added * (n + 1), is_final=True)
        if row:
            top = row.bit_length() - 1
            for other, pivot in pivots.items():
                if pivot >> top & 1:
                    pivots[other] = pivot ^ row
                    added += 1
            pivots[top] = row
    support = tuple(n - top for top in sorted(pivots, reverse=True) if pivots[top] & 1)
    return Answer(support if len(pivots) == n else None, added * (n + 1))
