"""Pointer value retrieval (Zhang et al. 2021)."""

from __future__ import annotations

from collections.abc import Mapping
from math import factorial
from typing import ClassVar

import torch
from pydantic import Field, model_validator
from torch import Tensor

import synthbench as sb

BASE = 10
"""Digits."""


class PointerValue(sb.Task):
    """The first digit points to a place; y = the sum mod 10 of the digits in a window from there.

    The window goes on at the first place after the last. The pointer and all digits are uniform;
    nothing is hidden: the world is constant.
    """

    name: ClassVar[str] = "pvr"
    headline: ClassVar[tuple[str, ...]] = ("places", "window")
    paper: ClassVar[str] = "Zhang et al. 2021, arXiv:2107.12580"

    places: int = Field(default=10, ge=2, le=BASE)
    """Places that the pointer may name."""
    window: int = Field(default=1, ge=1)
    """Digits that are added up."""

    @model_validator(mode="after")
    def _window_fits(self) -> PointerValue:
        if self.window >= self.places:
            raise ValueError(f"window must be below places={self.places}, got {self.window}")
        return self

    @property
    def interface(self) -> sb.Interface:
        """The pointer and the digits in, one of ten digits out."""
        return sb.Interface(sb.Tokens(BASE, 1 + self.places), sb.ClassLogits(BASE))

    def world(self, rng: sb.Stream) -> Tensor:
        """Nothing: (1,)."""
        return torch.zeros(1, device=rng.device)

    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        """Fresh examples: x (size, 1 + places), y (size,)."""
        pointer = rng.integers(self.places, (size, 1))
        x = torch.cat([pointer, rng.integers(BASE, (size, self.places))], dim=1)
        return sb.Batch(x, self.sums(x, pointer))

    def sums(self, x: Tensor, pointer: Tensor) -> Tensor:
        """The sum of the window at places (B, 1): (B,)."""
        window = (pointer + torch.arange(self.window, device=x.device)) % self.places
        return x[:, 1:].gather(1, window).sum(dim=1) % BASE

    def losses(self) -> Mapping[str, sb.Loss]:
        """Cross-entropy (the default) and square."""
        return sb.CLASS_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, sb.Mean]:
        """Share of right sums."""
        return {"accuracy": sb.accuracy(output, batch.y)}

    def references(self, world: Tensor, batch: sb.Batch) -> Mapping[str, Tensor]:
        """Uniform; the window at the first place; without a sum, the most frequent digit; all."""
        x, pointer = batch.x, batch.x[:, :1]
        first = sb.one_hot(self.sums(x, torch.zeros_like(pointer)), BASE, torch.float32)
        counts = sb.one_hot(x[:, 1:], BASE, torch.float32).sum(dim=1)
        optimal = sb.one_hot(self.sums(x, pointer), BASE, torch.float32)
        frequent = {"most-frequent": counts} if self.window == 1 else {}
        trivial = torch.zeros_like(first)
        return {"trivial": trivial, "first-place": first, **frequent, "optimal": optimal}

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy: two windows that differ have sums that are independent."""
        share = 1 / self.places
        exact = {"trivial": 1 / BASE, "first-place": share + (1 - share) / BASE, "optimal": 1.0}
        if self.window == 1:
            exact["most-frequent"] = most_frequent(self.places) / self.places
        return exact


def most_frequent(digits: int) -> float:
    """How often the most frequent of so many uniform digits occurs, in expectation."""
    expected = 0.0
    for most in range(digits):
        # Words without a digit more often than that: those of ten exponential generating series.
        words = [1.0] + [0.0] * digits
        for _ in range(BASE):
            words = [
                sum(words[n - i] / factorial(i) for i in range(min(most, n) + 1))
                for n in range(digits + 1)
            ]
        expected += 1 - words[digits] * factorial(digits) / BASE**digits
    return expected
