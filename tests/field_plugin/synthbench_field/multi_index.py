"""Single- and multi-index models of Gaussian inputs (Damian et al. 2022; Abbe et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from math import factorial, sqrt
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

import synthbench as sb


class MultiIndex(sb.Task):
    """y = g(u_1 . x, u_2 . x, u_3 . x) + noise, with x standard normal and g of variance 1.

    The directions are hidden, orthonormal and uniform. g is He_k(z_1) / sqrt(k!), the product
    z_1 z_2 z_3, or the staircase (z_1 + z_1 z_2 + z_1 z_2 z_3) / sqrt(3).
    """

    name: ClassVar[str] = "multi-index"
    headline: ClassVar[tuple[str, ...]] = ("d", "link")
    paper: ClassVar[str] = "Damian et al. 2022, arXiv:2206.15144; Abbe et al. 2023, 2302.11055"

    d: int = Field(default=16, ge=3)
    """Dimensions."""
    link: Literal["he1", "he2", "he3", "he4", "product", "staircase"] = "he1"
    """The function g; its information exponent is 1, 2, 3, 4, 3 and 1."""
    noise: float = Field(default=0.0, ge=0)
    """Variance of the noise."""

    @property
    def interface(self) -> sb.Interface:
        """d numbers in, one out."""
        return sb.Interface(sb.Reals(self.d), sb.Value())

    def world(self, rng: sb.Stream) -> Tensor:
        """Three directions: (3, d), float64 as all that follows, so that devices agree."""
        found: list[Tensor] = []
        for drawn in rng.normal((3, self.d)).double().unbind():
            direction = drawn
            for other in found:
                direction = direction - (direction * other).sum() * other
            found.append(direction / direction.square().sum().sqrt())
        return torch.stack(found)

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        """Fresh samples: x (size, d), y (size,)."""
        x = rng.normal((size, self.d))
        y = self.function(world, x) + sqrt(self.noise) * rng.normal((size,)).double()
        return sb.Batch(x, y.float())

    def function(self, world: Tensor, x: Tensor) -> Tensor:
        """The function g of inputs (B, d): (B,), float64."""
        first, second, third = (x.double() @ world.double().T).unbind(dim=-1)
        if self.link.startswith("he"):
            degree = int(self.link[2:])
            return hermite(first, degree) / sqrt(factorial(degree))
        if self.link == "product":
            return first * second * third
        return (first + first * second + first * second * third) / sqrt(3)

    def losses(self) -> Mapping[str, sb.Loss]:
        """Squared (the default), absolute and Huber's error."""
        return sb.REGRESSION_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        """Squared error."""
        return {"squared-error": (output - batch.y).square().mean()}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        """Zero; of the staircase, the part of degree 1; the function."""
        optimal = self.function(world, batch.x).to(batch.x.dtype)
        linear = (batch.x.double() @ world[0].double() / sqrt(3)).to(batch.x.dtype)
        part = {"linear": linear} if self.link == "staircase" else {}
        return {"trivial": torch.zeros_like(optimal), **part, "optimal": optimal}

    def exact_scores(self) -> Mapping[str, float]:
        """Squared error: every term has variance 1 and they are uncorrelated."""
        part = {"linear": 2 / 3 + self.noise} if self.link == "staircase" else {}
        return {"trivial": 1 + self.noise, **part, "optimal": self.noise}


def hermite(z: Tensor, degree: int) -> Tensor:
    """He_k(z), the probabilists' polynomial: He_{k+1} = z He_k - k He_{k-1}."""
    before, here = torch.ones_like(z), z
    for k in range(1, degree):
        before, here = here, z * here - k * before
    return here
