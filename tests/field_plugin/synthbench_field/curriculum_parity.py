"""Sparse parity whose first inputs are biased (Cornacchia and Mossel 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import Field, model_validator
from torch import Tensor

import synthbench as sb


class CurriculumParity(sb.Task):
    """y = the product of k hidden coordinates of x, with a curriculum in the training inputs.

    In the first steps every coordinate is +1 with probability (1 + bias) / 2, and low degrees of
    the parity are correlated with y; then, and in evaluation, x is uniform on {-1, +1}^n.
    """

    name: ClassVar[str] = "curriculum-parity"
    headline: ClassVar[tuple[str, ...]] = ("n", "k", "biased_steps")
    paper: ClassVar[str] = "Cornacchia and Mossel 2023, arXiv:2301.13833"

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
    def interface(self) -> sb.Interface:
        """n signs in, one margin out."""
        return sb.Interface(sb.Signs(self.n), sb.Margin())

    def world(self, rng: sb.Stream) -> Tensor:
        """The hidden coordinates: (k,)."""
        return rng.choice(self.n, self.k)

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        """Fresh samples with uniform inputs."""
        return self.examples(world, rng.signs((size, self.n)))

    def sample_at(self, world: Tensor, rng: sb.Stream, size: int, step: Tensor) -> sb.Batch:
        """Fresh samples for one step, biased before `biased_steps`."""
        uniform = rng.signs((size, self.n))
        biased = rng.bernoulli((1 + self.bias) / 2, (size, self.n)) * 2.0 - 1
        return self.examples(world, torch.where(step < self.biased_steps, biased, uniform))

    def examples(self, world: Tensor, x: Tensor) -> sb.Batch:
        """Inputs (B, n) with their labels (B,)."""
        return sb.Batch(x, x[:, world].prod(dim=1))

    def losses(self) -> Mapping[str, sb.Loss]:
        """Hinge (the default), logistic, square and correlation."""
        return sb.MARGIN_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, sb.Mean]:
        """Share of right signs."""
        return {"accuracy": sb.accuracy(output, batch.y)}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        """A constant, and the parity."""
        optimal = batch.x[:, world].prod(dim=1)
        return {"trivial": torch.zeros_like(optimal), "optimal": optimal}

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy on uniform inputs."""
        return {"trivial": 0.5, "optimal": 1.0}
