"""What a classical search needs to find the support of a parity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from synthbench import Measurement

EVERY = 64
"""Numbers of samples up to which each is tried."""
STEP = 2 ** (1 / 8)
"""From one number of samples to the next beyond."""


class ParitySearch(Measurement):
    """Samples and operations after which a search finds the support of a sparse parity.

    The parity of a seed, and its samples in their order, are those on which a network of that seed
    is trained. Tried are the first 2, 3, ... 64 samples, and then each time an eighth of an octave
    more. Measured are `found`, 1 where the answer was right within `most` samples; `samples`, the
    first number of them with the right answer; and `operations` of the search on just these. Both
    are infinite where it was not found.
    """

    name: ClassVar[str] = "parity-search"
    headline: ClassVar[tuple[str, ...]] = ("algorithm", "n", "k")
    paper: ClassVar[str] = "Barak et al. 2022, arXiv:2207.08799, section 1"

    algorithm: Literal["brute-force", "elimination", "meet-in-the-middle", "bkw", "correlation"] = (
        "brute-force"
    )
    """Every support, Gaussian elimination over GF(2), halves of supports that meet, Blum, Kalai and
    Wasserman's for noise, Valiant's correlated pairs."""
    n: int = Field(default=20, ge=2)
    """Number of coordinates."""
    k: int = Field(default=3, ge=2)
    """Number of coordinates in the support."""
    noise: float = Field(default=0.0, ge=0, lt=0.5)
    """Probability that a label is flipped."""
    most: int = Field(default=8192, ge=2)
    """Samples after which a search is given up."""
    batch_size: int = Field(default=32, ge=1)
    """Of the networks whose samples these are."""

    @model_validator(mode="after")
    def _support_fits(self) -> ParitySearch:
        if self.k > self.n:
            raise ValueError(f"k must be at most n={self.n}, got {self.k}")
        return self

    def measure(self, seeds: Sequence[int]) -> Sequence[Mapping[str, float]]:
        """`found`, `samples` and `operations` of each seed."""
        return [self._measured(seed) for seed in seeds]

    def _measured(self, seed: int) -> Mapping[str, float]:
        # Here, so that it can be listed and described without torch.
        from synthbench_parity.bits import Samples
        from synthbench_parity.searches import ALGORITHMS
        from synthbench_parity.task import SparseParity

        samples = Samples(SparseParity(n=self.n, k=self.k, noise=self.noise), seed, self.batch_size)
        search, count = ALGORITHMS[self.algorithm], 2
        while count <= self.most:
            answer = search(*samples.first(count), self.k)
            if answer.support == samples.support:
                return {"found": 1.0, "samples": count, "operations": float(answer.operations)}
            if answer.is_final:
                break
            count = count + 1 if count < EVERY else round(count * STEP)
        return {"found": 0.0, "samples": inf, "operations": inf}
