"""Modular addition with held-out pairs (Power et al. 2022; Nanda et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

import synthbench as sb

World = tuple[Tensor, Tensor]
"""Numbers a p + b of the pairs that are trained on, and of the others."""


class ModularAddition(sb.Task):
    """y = (a + b) mod p for all p^2 pairs, of which a share is trained on and the rest held out.

    Which pairs are trained on is drawn for every replica. The usual recipe is batch_size=full.
    """

    name: ClassVar[str] = "modular-addition"
    headline: ClassVar[tuple[str, ...]] = ("p", "share")
    paper: ClassVar[str] = "Power et al. 2022, arXiv:2201.02177; Nanda et al. 2023, 2301.05217"

    p: int = Field(default=47, ge=3)
    """Modulus."""
    share: float = Field(default=0.3, gt=0, lt=1)
    """Share of the pairs that is trained on."""

    @property
    def interface(self) -> sb.Interface:
        """Two symbols in, one of p classes out."""
        return sb.Interface(sb.Tokens(self.p, 2), sb.ClassLogits(self.p))

    def world(self, rng: sb.Stream) -> World:
        """The pairs on both sides: (m,) and (p^2 - m,)."""
        return rng.split(self.p**2, self.share)

    def train_set(self, world: World) -> sb.Batch:
        """Every pair that is trained on."""
        return self.examples(world[0])

    def test_sets(self) -> Mapping[str, sb.TestSet]:
        """Every other pair."""
        return {"held-out": sb.TestSet(whole=lambda world: self.examples(world[1]))}

    def examples(self, pairs: Tensor) -> sb.Batch:
        """The examples of pairs with the given numbers: x (B, 2), y (B,)."""
        a, b = pairs // self.p, pairs % self.p
        return sb.Batch(torch.stack([a, b], dim=-1), (a + b) % self.p)

    def losses(self) -> Mapping[str, sb.Loss]:
        """Cross-entropy (the default) and square."""
        return sb.CLASS_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, sb.Mean]:
        """Share of pairs whose sum is right."""
        return {"accuracy": sb.accuracy(output, batch.y)}

    def references(self, world: World, batch: sb.Batch) -> Mapping[str, Tensor]:
        """Uniform; a + b where b + a is trained on; the sum."""
        a, b = batch.x.unbind(dim=-1)
        seen = torch.zeros(self.p**2, device=batch.x.device).scatter(0, world[0], 1.0)
        optimal = sb.one_hot((a + b) % self.p, self.p, torch.float32)
        return {
            "trivial": torch.zeros_like(optimal),
            "commutes": optimal * seen[b * self.p + a][:, None],
            "optimal": optimal,
        }

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy on held-out pairs, in the mean over splits.

        A held-out pair has a != b with probability (p - 1) / p, and then its mirror image is any
        of the p^2 - 1 others, of which m are trained on.
        """
        p, pairs = self.p, self.p**2
        known = (p - 1) / p * round(self.share * pairs) / (pairs - 1)
        return {"trivial": 1 / p, "commutes": known + (1 - known) / p, "optimal": 1.0}
