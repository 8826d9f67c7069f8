"""Sparse parity (Barak et al. 2022, "Hidden Progress in Deep Learning")."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import (
    MARGIN_LOSSES,
    Batch,
    Interface,
    KnownAlgorithm,
    Loss,
    Margin,
    Preset,
    Signs,
    Task,
)

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream


class SparseParity(Task):
    """y = the product of k hidden coordinates of x, with x uniform on {-1, +1}^n.

    Each replica has a support of its own, uniform over the C(n, k) subsets or, if disjoint,
    over those with one coordinate in each of k blocks of n/k. With label noise, y is flipped
    with probability `noise`, independently per sample.
    """

    name: ClassVar[str] = "sparse-parity"
    headline: ClassVar[tuple[str, ...]] = ("n", "k")
    paper: ClassVar[str] = "Barak et al. 2022, arXiv:2207.08799"
    sample_fields: ClassVar[tuple[str, ...]] = ("noise",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset("n=20 k=3", "mlp width=100", 160_000, ("support-mass",)),
        "barak": Preset("n=50 k=3", "mlp width=1000", 3_200_000),
        "merrill": Preset(
            "n=40 k=3", "mlp width=1000 weight_decay=0.01", 320_000, train_samples=1_000
        ),
    }

    n: int = Field(default=40, ge=1)
    """Number of coordinates."""
    k: int = Field(default=3, ge=1)
    """Number of coordinates in the support."""
    noise: float = Field(default=0.0, ge=0, lt=0.5)
    """Probability that a label is flipped."""
    disjoint: bool = False
    """Whether the support has one coordinate in each of k equal blocks."""

    @model_validator(mode="after")
    def _support_fits(self) -> SparseParity:
        if self.k > self.n:
            raise ValueError(f"k must be at most n={self.n}, got {self.k}")
        if self.disjoint and self.n % self.k:
            raise ValueError(f"k={self.k} must divide n={self.n} with disjoint=true")
        return self

    @property
    def interface(self) -> Interface:
        """n signs in, one margin out."""
        return Interface(Signs(self.n), Margin())

    def world(self, rng: Stream) -> Tensor:
        """The support: (k,) distinct coordinates."""
        # Here, so that a task can be listed and described without torch.
        import torch

        if not self.disjoint:
            return rng.choice(self.n, self.k)
        block = self.n // self.k
        starts = torch.arange(0, self.n, block, device=rng.device)
        return starts + rng.integers(block, (self.k,))

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh samples: x (size, n) and y (size,), both -1 or +1."""
        x = rng.signs((size, self.n))
        y = x[:, world].prod(dim=1)
        if self.noise:
            flipped = rng.bernoulli(self.noise, (size,))
            y = (-y).where(flipped, y)
        return Batch(x, y)

    def losses(self) -> Mapping[str, Loss]:
        """Hinge (the default), logistic, square and correlation."""
        return MARGIN_LOSSES

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Share of correct signs; an output of exactly 0 counts one half."""
        return {"accuracy": (((output * batch.y).sign() + 1) / 2).mean()}

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """A constant, the parity of all but one coordinate, and the parity itself."""
        return {
            "trivial": batch.y.new_zeros(batch.y.shape),
            "misses-one": batch.x[:, world[1:]].prod(dim=1),
            "optimal": batch.x[:, world].prod(dim=1),
        }

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy over the whole distribution.

        Characters are orthogonal, so whatever does not read every coordinate of the support
        is right exactly half of the time; the parity itself errs only where the label does.
        """
        return {"trivial": 0.5, "misses-one": 0.5, "optimal": 1 - self.noise}

    def known_algorithms(self) -> Mapping[str, KnownAlgorithm]:
        """Exhaustive search over supports and, without noise, Gaussian elimination."""
        # Here too, since they need scipy.
        from synthbench_parity.classical import exhaustive_search, gaussian_elimination

        block = self.n // self.k
        supports = block**self.k if self.disjoint else math.comb(self.n, self.k)
        found = {"exhaustive-search": exhaustive_search(supports, self.k, self.noise)}
        if not self.noise:
            found["gaussian-elimination"] = gaussian_elimination(self.n)
        return found
