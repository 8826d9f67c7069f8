"""Linear regression in context (Garg et al. 2022), also from a pool (Raventos et al. 2023)."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Batch, Preset, TestSet
from synthbench_function_classes import curves
from synthbench_function_classes.baselines import GARG, SMALL
from synthbench_function_classes.function_class import FunctionClass

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream


class InContextRegression(FunctionClass):
    """Predict y_i = w.x_i + noise from x_1, y_1, ..., x_i; w is standard normal, new every time.

    With a pool, every training sequence takes its w from one of M that are hidden; they are
    scored on the pool and on fresh w. Scores are squared errors of w.x_i, over d.
    """

    name: ClassVar[str] = "in-context-regression"
    headline: ClassVar[tuple[str, ...]] = ("d", "examples")
    paper: ClassVar[str] = "Garg et al. 2022, arXiv:2208.01066; Raventos et al. 2023, 2306.15063"
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset("d=2 examples=8 target=0.75", SMALL, 64_000, evaluation_samples=512),
        "garg": Preset("d=20 examples=41 noise=0", GARG, 32_000_000),
        "raventos": Preset(
            "d=8 examples=16 noise=0.25 pool=1024",
            "transformer layers=8 heads=2 width=128 mlp=4 positions=absolute optimizer=adam "
            "lr=0.001 beta2=0.999 weight_decay=0 clip=none schedule=linear warmup=250000 "
            "batch_size=256",
            128_000_000,
            ("predictors",),
        ),
        "hoogland": Preset(
            "d=4 examples=16",
            "transformer layers=2 heads=4 width=64 mlp=1 positions=absolute optimizer=adam "
            "lr=0.003 beta2=0.999 weight_decay=0 clip=none schedule=linear warmup=250000 "
            "batch_size=256",
            128_000_000,
        ),
    }

    noise: float = Field(default=0.125, ge=0)
    """Variance of the noise of y."""
    pool: int | None = Field(default=None, ge=1)
    """Number M of hidden w that training sequences are drawn from; none: every w is new."""

    def world(self, rng: Stream) -> Tensor:
        """The pool: (M, d); empty without one."""
        return rng.normal((self.pool or 0, self.d))

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh sequences, of the pool if there is one."""
        if self.pool is None:
            return self.fresh(world, rng, size)
        return self.of(world[rng.integers(self.pool, (size,))], rng)

    def fresh(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh sequences with a new w each."""
        return self.of(rng.normal((size, self.d)), rng)

    def of(self, w: Tensor, rng: Stream) -> Batch:
        """One sequence for each w (B, d)."""
        x = self.inputs(rng, w.shape[0])
        return self.prompts(x, (x * w[:, None].double()).sum(dim=-1), rng)

    def test_sets(self) -> Mapping[str, TestSet]:
        """Sequences of the pool, ranked, and of fresh w; without a pool there is but one kind."""
        fresh = TestSet(sample=self.fresh, references=self.for_fresh)
        return {"fresh": fresh} if self.pool is None else {
            "pool": TestSet(sample=self.sample), "fresh": fresh,
        }  # fmt: skip

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Zero, average, least squares, ridge regression; on a pool, Bayes' rule among it."""
        from synthbench_function_classes.predictors import among_pool
        from synthbench_function_classes.prompts import examples_of, outputs_of

        found = dict(self.for_fresh(world, batch))
        if self.pool is not None:
            found["ridge"] = found.pop("optimal")
            bayes = among_pool(world.double(), *examples_of(batch), self.noise)
            found.update(outputs_of({"optimal": bayes}))
        return found

    def for_fresh(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Zero, average, least squares where there is noise, and Bayes' rule for a fresh w: ridge.

        Average is sum x_j y_j / (k + d + 1 + noise), the best multiple of that sum; least
        squares the solution of least norm, scaled likewise. Without noise ridge is the latter.
        """
        import torch

        from synthbench_function_classes import predictors
        from synthbench_function_classes.prompts import examples_of, outputs_of

        x, y = examples_of(batch)
        found = {"trivial": torch.zeros_like(y)}
        found["average"] = predictors.scaled_average(x, y, curves.added(self.d, self.noise))
        if self.noise:
            factors = self.curve(curves.least_squares_factor)
            found["least-squares"] = predictors.least_squares(x, y, factors)
        found["optimal"] = predictors.best_linear(x @ x.mT, y, self.noise)
        return outputs_of(found)

    def curve(self, after: curves.AfterExamples) -> list[float]:
        """A quantity of `curves` after 0, ..., K - 1 examples."""
        return [after(k, self.d, self.noise) for k in range(self.examples)]

    def exact_scores(self) -> Mapping[str, float]:
        """Means of the exact curves; over draws of the pool, the same ones hold on it."""
        exact = {
            "trivial": 1.0,
            "average": fmean(self.curve(curves.average)),
            **({"least-squares": fmean(self.curve(curves.least_squares))} if self.noise else {}),
            "optimal": fmean(self.curve(curves.ridge)),
        }
        if self.pool is None:
            return exact
        fresh = {f"{name}@fresh": score for name, score in exact.items()}
        exact["ridge"] = exact.pop("optimal")
        return {**exact, **fresh}
