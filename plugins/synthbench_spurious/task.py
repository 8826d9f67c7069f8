"""A spurious feature beside a core one (Qiu, Kuang and Goel 2024)."""

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
    TestSet,
    accuracy,
)
from synthbench_spurious.features import Kind, feature, first_step_correlation, mean

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream

World = tuple["Tensor", "Tensor"]
"""Coordinates of the core feature and of the spurious one, in order: (core,), (spurious,)."""


class SpuriousFeatures(Task):
    """y = the core feature of x, which in training mostly equals a simpler, spurious one.

    A feature is the parity of its coordinates or a staircase, sign(x_1 + x_1 x_2 + ... +
    x_1 ... x_d) with ties counted +1. The coordinates of both are hidden and disjoint. All others,
    and those of the core feature, are uniform; those of the spurious one are uniform given that it
    equals y, with probability `agreement`, or does not. On the second test set x is uniform.
    """

    name: ClassVar[str] = "spurious-features"
    headline: ClassVar[tuple[str, ...]] = ("n", "core", "spurious")
    paper: ClassVar[str] = "Qiu, Kuang and Goel 2024, arXiv:2403.03375"
    sample_fields: ClassVar[tuple[str, ...]] = ("agreement",)
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            "n=20 core=3 spurious=1", model="mlp", budget=320_000, probes=("feature-weight",)
        ),
        # The released "hard staircase": 14 core coordinates, and 20 others.
        "qiu": Preset(
            "n=34 core=14 spurious=10 core_kind=staircase spurious_kind=staircase",
            model="mlp batch_size=64 loss=logistic",
            budget=6_000_000,
            train_samples=60_000,
        ),
    }

    n: int = Field(default=20, ge=2)
    """Number of coordinates."""
    core: int = Field(default=3, ge=1, le=32)
    """Degree of the core feature."""
    spurious: int = Field(default=1, ge=1, le=32)
    """Degree of the spurious feature."""
    core_kind: Kind = "parity"
    """What the core feature is."""
    spurious_kind: Kind = "parity"
    """What the spurious feature is; of degree 1 both kinds are one coordinate."""
    agreement: float = Field(default=0.9, ge=0.5, lt=1)
    """How often the spurious feature equals y in training: lambda, the confounder strength."""

    @model_validator(mode="after")
    def _both_fit(self) -> SpuriousFeatures:
        if self.core + self.spurious > self.n:
            total = self.core + self.spurious
            raise ValueError(f"core + spurious must be at most n={self.n}, got {total}")
        return self

    @property
    def interface(self) -> Interface:
        """n signs in, one margin out."""
        return Interface(Signs(self.n), Margin())

    def world(self, rng: Stream) -> World:
        """The coordinates of both features, in the order in which a staircase takes them."""
        chosen = rng.permutation(self.n)
        return chosen[: self.core], chosen[self.core : self.core + self.spurious]

    def sample(self, world: World, rng: Stream, size: int) -> Batch:
        """Fresh samples in which the features agree with probability `agreement`."""
        from synthbench_spurious.drawing import signs_with_value

        core, spurious = world
        x = rng.signs((size, self.n))
        agrees = rng.bernoulli(self.agreement, (size,)).to(x.dtype) * 2 - 1
        wanted = agrees * feature(self.core_kind, x[:, core])
        signs = signs_with_value(self.spurious_kind, x[:, spurious], wanted, rng)
        return self._examples(world, x.scatter(1, spurious.expand(size, -1), signs))

    def decorrelated(self, world: World, rng: Stream, size: int) -> Batch:
        """Uniform inputs: without an even staircase, the features agree half of the time."""
        return self._examples(world, rng.signs((size, self.n)))

    def test_sets(self) -> Mapping[str, TestSet]:
        """As in training, and without the correlation."""
        return {
            "correlated": TestSet(sample=self.sample),
            "decorrelated": TestSet(sample=self.decorrelated),
        }

    def losses(self) -> Mapping[str, Loss]:
        """Hinge (the default), logistic, square and correlation."""
        return MARGIN_LOSSES

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Mean]:
        """Share of right signs, in all and in each of the four groups of label and agreement.

        `spurious-accuracy` is the share of signs that equal the spurious feature.
        """
        spurious = batch.latents["spurious"]
        hits = accuracy(output, batch.y)
        found = {"accuracy": hits, "spurious-accuracy": accuracy(output, spurious)}
        for sign, label in (("plus", 1), ("minus", -1)):
            for how, other in (("agrees", label), ("differs", -label)):
                inside = (batch.y == label) & (spurious == other)
                found[f"{sign}-{how}"] = hits._replace(weights=inside.to(hits.weights.dtype))
        return found

    def aggregate(self, scores: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """All of them, and the worst of the four groups."""
        worst = scores["plus-agrees"]
        for name in ("plus-differs", "minus-agrees", "minus-differs"):
            worst = worst.minimum(scores[name])
        return {**scores, "worst-group": worst}

    def references(self, world: World, batch: Batch) -> Mapping[str, Tensor]:
        """A coin, the spurious feature alone and the core one alone, which is optimal.

        Of a core staircase also its first step, and a constant where its mean is not 0.
        """
        core, spurious = (batch.x[:, places] for places in world)
        found = {"trivial": batch.y.new_zeros(batch.y.shape)}
        if mean(self.core_kind, self.core):
            found["constant"] = batch.y.new_ones(batch.y.shape)
        found["spurious-only"] = feature(self.spurious_kind, spurious)
        if self.core_kind == "staircase" and self.core > 1:
            found["first-step"] = core[:, 0]
        return {**found, "optimal": feature(self.core_kind, core)}

    def exact_scores(self) -> Mapping[str, float]:
        """Accuracy on both test sets; that of P(f = g) = (1 + E[f g]) / 2 for signs f and g.

        Inputs of the core feature are uniform on both, and on the second independent of the
        spurious feature.
        """
        core_mean = mean(self.core_kind, self.core)
        found = {"trivial": 0.5, "optimal": 1.0}
        if core_mean:
            found["constant"] = (1 + core_mean) / 2
        if self.core_kind == "staircase" and self.core > 1:
            found["first-step"] = (1 + first_step_correlation(self.core)) / 2
        without = (1 + core_mean * mean(self.spurious_kind, self.spurious)) / 2
        on_second = {f"{name}@decorrelated": score for name, score in found.items()}
        spurious = {"spurious-only": self.agreement, "spurious-only@decorrelated": without}
        return {**found, **on_second, **spurious}

    def _examples(self, world: World, x: Tensor) -> Batch:
        core, spurious = (x[:, places] for places in world)
        latents = {"spurious": feature(self.spurious_kind, spurious)}
        return Batch(x, feature(self.core_kind, core), latents)
