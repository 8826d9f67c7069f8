"""A spurious parity beside a core one (Qiu, Kuang and Goel 2024)."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product
from typing import ClassVar

import torch
from pydantic import Field, model_validator
from torch import Tensor

import synthbench as sb

World = tuple[Tensor, Tensor]
"""Coordinates of the core parity and of the spurious one."""
WHOLE = 10
"""Coordinates up to which every input is scored in place of a sample."""


class SpuriousParity(sb.Task):
    """y = the parity of some coordinates, with which that of others agrees too often in training.

    The two sets of coordinates are hidden and disjoint; x is uniform on {-1, +1}^n but for that
    the spurious parity equals y with probability `agreement`. In the second test set it does for
    half of the inputs, which are then all equally likely.
    """

    name: ClassVar[str] = "spurious-parity"
    headline: ClassVar[tuple[str, ...]] = ("n", "core", "spurious")
    paper: ClassVar[str] = "Qiu, Kuang and Goel 2024, arXiv:2403.03375"

    n: int = Field(default=20, ge=2)
    """Number of coordinates."""
    core: int = Field(default=3, ge=1)
    """Degree of the core parity."""
    spurious: int = Field(default=1, ge=1)
    """Degree of the spurious one."""
    agreement: float = Field(default=0.9, gt=0.5, lt=1)
    """How often the spurious parity equals y in training."""

    @model_validator(mode="after")
    def _both_fit(self) -> SpuriousParity:
        if self.core + self.spurious > self.n:
            raise ValueError(f"core + spurious must be at most n={self.n}")
        return self

    @property
    def interface(self) -> sb.Interface:
        """n signs in, one margin out."""
        return sb.Interface(sb.Signs(self.n), sb.Margin())

    def world(self, rng: sb.Stream) -> World:
        """The coordinates of both: (core,) and (spurious,)."""
        chosen = rng.permutation(self.n)
        return chosen[: self.core], chosen[self.core : self.core + self.spurious]

    def sample(self, world: World, rng: sb.Stream, size: int) -> sb.Batch:
        """Fresh samples in which the two agree with the probability given."""
        x, agrees = rng.signs((size, self.n)), rng.bernoulli(self.agreement, (size, 1))
        core, spurious = x[:, world[0]].prod(1, True), x[:, world[1]].prod(1, True)
        wrong = (core == spurious) != agrees
        switched = torch.arange(self.n, device=x.device) == world[1][0]
        return self.examples(world, torch.where(wrong & switched, -x, x))

    def decorrelated(self, world: World, rng: sb.Stream, size: int) -> sb.Batch:
        """Uniform inputs."""
        return self.examples(world, rng.signs((size, self.n)))

    def every_input(self, world: World) -> sb.Batch:
        """All 2^n inputs."""
        inputs = torch.tensor(list(product((-1.0, 1.0), repeat=self.n)))
        return self.examples(world, inputs.to(world[0].device))

    def examples(self, world: World, x: Tensor) -> sb.Batch:
        """Inputs (B, n) with their labels (B,); latents: the `spurious` parity."""
        spurious = {"spurious": x[:, world[1]].prod(dim=1)}
        return sb.Batch(x, x[:, world[0]].prod(dim=1), spurious)

    def test_sets(self) -> Mapping[str, sb.TestSet]:
        """As in training, and without the correlation."""
        few = self.n <= WHOLE
        uniform = sb.TestSet(whole=self.every_input) if few else sb.TestSet(self.decorrelated)
        return {"correlated": sb.TestSet(self.sample), "decorrelated": uniform}

    def losses(self) -> Mapping[str, sb.Loss]:
        """Hinge (the default), logistic, square and correlation."""
        return sb.MARGIN_LOSSES

    def score(self, output: Tensor, batch: sb.Batch) -> Mapping[str, sb.Mean]:
        """Share of right signs, and that in each of the four groups of label and agreement."""
        hits = sb.accuracy(output, batch.y)
        found = {"accuracy": hits}
        for sign, label in (("plus", 1), ("minus", -1)):
            for how, other in (("agrees", label), ("differs", -label)):
                inside = (batch.y == label) & (batch.latents["spurious"] == other)
                found[f"{sign}-{how}"] = hits._replace(weights=inside.float())
        return found

    def aggregate(self, scores: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """All of them, and the worst of the four."""
        groups = [value for name, value in scores.items() if "-" in name]
        return {**scores, "worst-group": torch.stack(groups).amin(dim=0)}

    def references(self, world: World, batch: sb.Batch) -> Mapping[str, Tensor]:
        """A constant, the spurious parity, the core parity."""
        core, spurious = (batch.x[:, places].prod(dim=1) for places in world)
        return {"trivial": torch.zeros_like(core), "spurious-only": spurious, "optimal": core}

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy on both test sets."""
        trained = {"trivial": 0.5, "spurious-only": self.agreement, "optimal": 1.0}
        without = {"trivial": 0.5, "spurious-only": 0.5, "optimal": 1.0}
        return {**trained, **{f"{name}@decorrelated": value for name, value in without.items()}}
