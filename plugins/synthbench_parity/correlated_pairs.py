"""Valiant's (2015) search for a correlated pair: halves of supports, added in buckets."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synthbench_parity.bits import Answer, packed, subsets, sums

if TYPE_CHECKING:
    from numpy.typing import NDArray

OMEGA = 2.372
"""Exponent of matrix multiplication, with which the paper counts: p q r takes (p q r)^(omega/3)."""
CANDIDATES = 4
"""Pairs of buckets that are opened."""


def correlation(x: NDArray[np.uint8], y: NDArray[np.uint8], k: int) -> Answer:
    """The support whose halves correlate most, in the pairs of buckets that do.

    The characters of all subsets of size ceil(k/2), and those of size floor(k/2) times y, are two
    sets of vectors of signs, of which one pair has the correlation 1 - 2 noise. Each set is dealt
    into buckets of about the cube root of its size, whose vectors are added with random signs; one
    matrix product correlates all pairs of buckets, and the largest few are opened.
    """
    larger, smaller = (subsets(x.shape[1], size) for size in (k - k // 2, k // 2))
    first = _signs(x, larger)
    second = _signs(x, smaller) * (1.0 - 2.0 * y)
    # What a bucket is, and the signs in it, follow from the number of vectors alone.
    buckets = [_buckets(len(vectors)) for vectors in (first, second)]
    one, other = (_added(v, *b) for v, b in zip((first, second), buckets, strict=True))
    product = np.abs(one @ other.T)
    m, opened = len(y), np.argsort(-product, axis=None, kind="stable")[:CANDIDATES]
    operations = (len(first) + len(second)) * m + (len(one) * len(other) * m) ** (OMEGA / 3)
    best: tuple[float, tuple[int, ...]] | None = None
    for place in opened.tolist():
        rows, columns = divmod(place, len(other))
        here = np.flatnonzero(buckets[0][0] == rows)
        there = np.flatnonzero(buckets[1][0] == columns)
        inner = first[here] @ second[there].T
        operations += inner.size * m
        for i, j in np.ndindex(*inner.shape):
            support = tuple(sorted({*larger[here[i]].tolist(), *smaller[there[j]].tolist()}))
            if len(support) == k and (best is None or inner[i, j] > best[0]):
                best = float(inner[i, j]), support
    return Answer(None if best is None else best[1], round(operations))


def _signs(x: NDArray[np.uint8], chosen: NDArray[np.intp]) -> NDArray[np.float64]:
    """(S, m) the characters of some subsets."""
    bits = np.unpackbits(sums(packed(x), chosen).view(np.uint8), axis=1)[:, : len(x)]
    return np.asarray(1.0 - 2.0 * bits, float)


def _buckets(count: int) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """The bucket and the sign of each of `count` vectors."""
    rng = np.random.default_rng(count)
    buckets = max(1, round(count / max(1.0, count ** (1 / 3))))
    return rng.permutation(count) % buckets, rng.choice([-1.0, 1.0], count)


def _added(
    vectors: NDArray[np.float64], bucket: NDArray[np.intp], sign: NDArray[np.float64]
) -> NDArray[np.float64]:
    """The signed sum of each bucket's vectors: (buckets, m)."""
    member = bucket == np.arange(bucket.max() + 1)[:, None]
    return np.asarray((member * sign) @ vectors)
