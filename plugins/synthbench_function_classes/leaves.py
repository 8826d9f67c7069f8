"""How often random inputs meet in a leaf of a random tree, and what follows, exactly.

d: coordinates; depth: signs asked for on the way to a leaf, of coordinates that may repeat.
"""

from __future__ import annotations

from math import comb


def distinct(d: int, depth: int) -> list[float]:
    """Chance that 0, 1, ..., depth different coordinates are asked for on one way."""
    chances = [1.0] + [0.0] * depth
    for _ in range(depth):
        again = [chance * count / d for count, chance in enumerate(chances)]
        new = [chance * (1 - count / d) for count, chance in enumerate(chances)]
        chances = [again[0], *(a + n for a, n in zip(again[1:], new, strict=False))]
    return chances


def meeting(d: int, depth: int) -> float:
    """Chance that two inputs come to the same leaf."""
    return sum(chance * 0.5**count for count, chance in enumerate(distinct(d, depth)))


def mean_factor(k: int, d: int, depth: int, noise: float) -> float:
    """c such that c times the sum of k answers is the best multiple of it."""
    together = meeting(d, depth)
    return together / (1 + noise + max(k - 1, 0) * together)


def mean(k: int, d: int, depth: int, noise: float) -> float:
    """What that multiple scores after k examples: 1 - c k p, p the chance to meet."""
    return 1 - mean_factor(k, d, depth, noise) * k * meeting(d, depth)


def known_splits(k: int, d: int, depth: int, noise: float) -> float:
    """What the posterior mean of a known leaf scores after k examples.

    After n of them in the leaf it is noise / (noise + n), and n is binomial.
    """
    found = 0.0
    for count, chance in enumerate(distinct(d, depth)):
        p = 0.5**count
        for n in range(k + 1):
            left = 1.0 if n == 0 else noise / (noise + n)
            found += chance * comb(k, n) * p**n * (1 - p) ** (k - n) * left
    return found
