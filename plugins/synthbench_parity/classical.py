"""Learners of a parity that are not trained by gradients: how much they need.

Both count what finds the support at least half of the time.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import binom

from synthbench import KnownAlgorithm


def exhaustive_search(supports: int, k: int, noise: float) -> KnownAlgorithm:
    """Keep the support that errs least on m samples, out of all.

    By the union bound over the wrong ones: m is the least for which (supports - 1) times the
    chance that one of them does as well as the right one is at most 1/2. Without noise a wrong
    support is dropped at its first error, after 2 samples on average.
    """
    least, most = 0, 1
    while (supports - 1) * chance_of_wrong(most, noise) > 0.5:
        least, most = most, 2 * most
    while most - least > 1:
        middle = (least + most) // 2
        enough = (supports - 1) * chance_of_wrong(middle, noise) <= 0.5
        least, most = (least, middle) if enough else (middle, most)
    looked_at = float(most) if noise else min(2.0, most)
    return KnownAlgorithm(most, supports * looked_at * k, "union bound over the C(n, k) supports")


def chance_of_wrong(samples: int, noise: float) -> float:
    """Probability that a wrong support errs no more often than the right one on m samples.

    They differ on each sample with chance 1/2; where they do, one of them errs, the right one
    with chance `noise`. On d such samples the wrong one does as well if the right one errs on at
    least d/2: the sum over d of Bin(d; m, 1/2) P(Bin(d, noise) >= d/2).
    """
    differing = np.arange(samples + 1)
    at_least_half = binom.sf(np.ceil(differing / 2) - 1, differing, noise)
    return float(binom.pmf(differing, samples, 0.5) @ at_least_half)


def gaussian_elimination(n: int) -> KnownAlgorithm:
    """Solve for the support as a linear system over GF(2), without label noise.

    A random m x n matrix has full column rank with probability prod_{i<n} (1 - 2^{-(m-i)});
    the least m for which that is at least 1/2. Elimination takes n^2 m bit operations.
    """
    samples = n
    while full_rank(samples, n) < 0.5:
        samples += 1
    return KnownAlgorithm(samples, float(n * n * samples), "rank of a random matrix over GF(2)")


def full_rank(samples: int, n: int) -> float:
    """Probability that `samples` uniform vectors of GF(2)^n span it."""
    return float(np.prod(1 - 2.0 ** -(samples - np.arange(n, dtype=float))))
