"""Meet in the middle: about n^(k/2) halves of supports, and no label may be wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthbench_parity.bits import Answer, packed, subsets, sums

if TYPE_CHECKING:
    from numpy.typing import NDArray


def meet_in_the_middle(x: NDArray[np.uint8], y: NDArray[np.uint8], k: int) -> Answer:
    """The only support whose two halves have sums that differ by y.

    The sums of all subsets of size ceil(k/2) are looked up among those of size floor(k/2) plus y.
    Every bit of a sum counts one operation for each coordinate in it, and one for looking it up.
    """
    n, words = x.shape[1], packed(x)
    larger, smaller = subsets(n, k - k // 2), subsets(n, k // 2)
    halves: dict[bytes, list[tuple[int, ...]]] = {}
    for half, value in zip(
        smaller.tolist(), sums(words, smaller) ^ packed(y[:, None]), strict=True
    ):
        halves.setdefault(value.tobytes(), []).append(tuple(half))
    found = {
        tuple(sorted({*half, *other}))
        for half, value in zip(larger.tolist(), sums(words, larger), strict=True)
        for other in halves.get(value.tobytes(), ())
    }
    supports = [each for each in found if len(each) == k]
    made = larger.size + smaller.size + len(larger) + len(smaller)
    support = supports[0] if len(supports) == 1 else None
    return Answer(support, made * len(y), is_final=not supports)
