"""Sparse parity whose first inputs are biased (Cornacchia and Mossel 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import (
    MARGIN_LOSSES,
    Batch,
    Interface,
    Loss,
    Margin,
    Mean,
    Preset,
    Signs,
    Task,
    accuracy,
)

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream


class CurriculumParity(Task):
    """y = the product of k hidden coordinates of x, with a curriculum in the training inputs.

    In the first steps every coordinate is +1 with probability (1 + bias) / 2, and low degrees of
    the parity are correlated with y; then, and in evaluation, x is uniform on {-1, +1}^n.
    """

    name: ClassVar[str] = "curriculum-parity"
    headline: ClassVar[tuple[str, ...]] = ("n", "k", "biased_steps")
    paper: ClassVar[str] = "Cornacchia and Mossel 2023, arXiv:2301.13833"
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset("n=30 k=6 biased_steps=1000", "mlp width=100", 320_000),
    }

    n: int = Field(default=40, ge=1)
    """Number of coordinates."""
    k: int = Field(default=3, ge=1)
    """Number of hidden ones."""
    biased_steps: int = Field(default=500, ge=0)
    """Optimizer steps whose inputs are biased."""
    bias: float = Field(default=0.7, gt=0, lt=1)
    """Mean of their coordinates."""

    @model_validator(mode="after")
    def _support_fits(self) -> CurriculumParity:
        if self.k > self.n:
            raise ValueError(f"k must be at most n={self.n}, got {self.k}")
        return self

    @property
    def interface(self) -> Interface:
        """n signs in, one margin out."""
        return Interface(Signs(self.n), Margin())

    def world(self, rng: Stream) -> Tensor:
        """The hidden coordinates: (k,)."""
        return rng.choice(self.n, self.k)

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh samples with uniform inputs."""
        return self.examples(world, rng.signs((size, self.n)))

    def sample_at(self, world: Tensor, rng: Stream, size: int, step: Tensor) -> Batch:
        """Fresh samples for one step, biased before `biased_steps`."""
        import torch

        uniform = rng.signs((size, self.n))
        biased = rng.bernoulli((1 + self.bias) / 2, (size, self.n)) * 2.0 - 1
        return self.examples(world, torch.where(step < self.biased_steps, biased, uniform))

    def examples(self, world: Tensor, x: Tensor) -> Batch:
        """Inputs (B, n) with their labels (B,)."""
        return Batch(x, x[:, world].prod(dim=1))

    def losses(self) -> Mapping[str, Loss]:
        """Hinge (the default), logistic, square and correlation."""
        return MARGIN_LOSSES

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Mean]:
        """Share of right signs."""
        return {"accuracy": accuracy(output, batch.y)}

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """A constant, and the parity."""
        optimal = batch.x[:, world].prod(dim=1)
        return {"trivial": 0 * optimal, "optimal": optimal}

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy on uniform inputs."""
        return {"trivial": 0.5, "optimal": 1.0}
