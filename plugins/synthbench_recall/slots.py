"""Where the queries of multi-query associative recall lie."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

NODES = 600
"""Points of the integral; its error is below 1e-9 up to 64 pairs in 512 tokens."""


def power_law(slots: int, power: float) -> list[float]:
    """Weights proportional to g^(power - 1) of the slots g = 1, 2, ..., 1 in sum.

    Source: Arora et al. 2023, released code; power 1 is uniform.
    """
    weights = np.arange(1, slots + 1) ** (power - 1)
    return [float(weight) for weight in weights / weights.sum()]


@lru_cache(maxsize=32)
def pair_of_slot(slots: int, pairs: int, power: float) -> Array:
    """Chance that a slot asks for a pair: (slots, pairs), of which each column sums to 1.

    The slots of all pairs are drawn one after the other without replacement, so the first pair
    is asked for soon and later ones further away. As clocks of rates w_g that ring, slot g is
    the i-th if it rings at t and i - 1 others have rung: the integral over t of
    w_g exp(-w_g t) P(i - 1 of the others before t), a Poisson-binomial probability.
    """
    rates = np.array(power_law(slots, power))
    # The trapezoidal rule in ln t, whose integrand dies off at both ends, is exponentially exact.
    grid = np.linspace(np.log(1e-13 / rates.max()), np.log(60 / rates.min()), NODES)
    time = np.exp(grid)
    rung = -np.expm1(-rates[:, None] * time)
    density = rates[:, None] * time * np.exp(-rates[:, None] * time) * (grid[1] - grid[0])
    return np.stack([density[g] @ _rung(np.delete(rung, g, axis=0), pairs) for g in range(slots)])


def _rung(chances: Array, most: int) -> Array:
    """P(exactly i of the clocks have rung), i < most: chances (G, N) -> (N, most)."""
    found = np.zeros((chances.shape[1], most))
    found[:, 0] = 1
    for chance in chances[:, :, None]:
        later = found * chance
        found = found - later
        found[:, 1:] += later[:, :-1]
    return found
