"""Weights of seeds: the Bayesian bootstrap, with what makes it honest for few seeds.

B weights in all, S seeds. A seed is one hidden truth, initialization and stream of data; it is
weighted as a whole, wherever it was trained, so that what cells have in common cancels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.stats import chi2

from synthbench.claims.bounds import Array

FEWEST_RESAMPLES = 2_000
IN_A_TAIL = 25
"""Resamples beyond each end of an interval, at least."""
NO_VARIANCE = 1e-12
CHUNK = 2_000
"""Resamples at once, which bounds the memory."""


@dataclass(frozen=True)
class SeedWeights:
    """How much each seed counts.

    seeds: (B, S). pseudo: (B, 2) weights of an observation below and one above all others, half a
    seed each as in Jeffreys' prior for a share: with them 16 of 16 is [0.86, 1], not [1, 1], and a
    median of few seeds may lie beyond all of them. chance: (B,) from which each draw of a
    variance comes. Of weights that are no resample both are 0 and NaN.
    Source: Rubin 1981; Jeffreys' interval: Brown, Cai & DasGupta 2001.
    """

    seeds: Array
    pseudo: Array
    chance: Array

    @property
    def resampled(self) -> bool:
        """Whether these are resamples."""
        return not np.isnan(self.chance).any()

    def pseudo_of(self, shares: Array, seeds: int) -> tuple[Array, float]:
        """(B, 2) weights of the pseudo-observations beside that many seeds with weights of one.

        shares: (B,) what is mixed with them. Where a seed is one row, half a seed each; where it
        is many, whose shares differ less from seed to seed than single rows would, less, in the
        ratio of those variances: else the prior would say how wide the interval is. The ratio is
        what is returned beside them, the weights have its upper bound at 95%. Where nothing
        varies, as when all hold, half a seed.
        """
        known = shares[np.isfinite(shares)]
        average = float(known.mean()) if len(known) else 0.0
        single = average * (1 - average) / (seeds + 1)
        factor = min(float(known.var()) / single, 1.0) if single > NO_VARIANCE else 1.0
        upper = min(1.0, factor * (seeds - 1) / chi2.ppf(0.05, seeds - 1)) if seeds > 1 else 1.0
        return self.pseudo * upper, factor

    def stretch(self, seeds: int) -> Array:
        """(B,) by how much a mean of that many seeds deviates more than its resample does.

        The resamples of a mean have the variance s^2 / (n + 1) and are nearly normal, where the
        mean has s^2 / n and Student's tails. seeds: at least two. Source: Hesterberg 2015
        (narrowness bias).
        """
        freedom = seeds - 1
        tails = np.sqrt(freedom / chi2.ppf(self.chance, freedom))
        return np.asarray(tails * np.sqrt((seeds + 1) / freedom))


def observed(seeds: int) -> SeedWeights:
    """B = 1 + S: all seeds alike, then every seed alone."""
    weights = np.vstack([np.ones((1, seeds)), np.eye(seeds)])
    return SeedWeights(weights, np.zeros((len(weights), 2)), np.full(len(weights), np.nan))


def resamples(seeds: int, tail: float) -> Iterator[SeedWeights]:
    """Resamples enough for the ends of an interval with that much in each tail, in chunks.

    The draws are the same at every call.
    """
    count = max(FEWEST_RESAMPLES, int(np.ceil(IN_A_TAIL / tail)))
    draws = np.random.default_rng(0)
    for first in range(0, count, CHUNK):
        size = min(CHUNK, count - first)
        yield SeedWeights(
            draws.standard_exponential((size, seeds)),
            draws.standard_gamma(0.5, (size, 2)),
            draws.uniform(size=size),
        )
