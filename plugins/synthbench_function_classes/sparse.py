"""Sparse linear regression in context (Garg et al. 2022)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from statistics import fmean
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import Batch, Preset
from synthbench_function_classes import curves
from synthbench_function_classes.baselines import GARG, SMALL
from synthbench_function_classes.function_class import FunctionClass

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream

MOST_SUPPORTS = 2_000
"""Supports that Bayes' rule weighs against one another."""
LASSO_PENALTY = 0.1
"""One of those that Garg et al. try: 1, 0.1, ..., 0.0001."""


class InContextSparseRegression(FunctionClass):
    """Predict y_i = w.x_i + noise where only s coordinates of w are not 0.

    They are uniform among the C(d, s) subsets and standard normal, new in every sequence. Scores
    are squared errors of w.x_i, over s.
    """

    name: ClassVar[str] = "in-context-sparse-regression"
    headline: ClassVar[tuple[str, ...]] = ("d", "nonzero", "examples")
    paper: ClassVar[str] = "Garg et al. 2022, arXiv:2208.01066"
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            "d=3 nonzero=1 examples=8 target=0.6", SMALL, 96_000, evaluation_samples=512
        ),
        "garg": Preset("d=20 nonzero=3 examples=41", GARG, 32_000_000),
    }

    d: int = Field(default=8, ge=1)
    """Dimensions of x."""
    nonzero: int = Field(default=2, ge=1)
    """Coordinates s of w that are not 0."""

    @model_validator(mode="after")
    def _supports_can_be_listed(self) -> InContextSparseRegression:
        if self.nonzero > self.d:
            raise ValueError(f"nonzero must be at most d={self.d}, got {self.nonzero}")
        supports = math.comb(self.d, self.nonzero)
        if supports > MOST_SUPPORTS:
            raise ValueError(
                f"d={self.d} nonzero={self.nonzero} have {supports:,} supports; "
                f"Bayes' rule lists them all, {MOST_SUPPORTS:,} at most"
            )
        return self

    @property
    def mean_square(self) -> float:
        """E (w.x)^2 = s."""
        return float(self.nonzero)

    @property
    def relative_noise(self) -> float:
        """Variance of the noise over that of a coordinate of w, s / d."""
        return self.noise * self.d / self.nonzero

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh sequences with a new w each."""
        import torch

        x = self.inputs(rng, size)
        support = rng.choice(self.d, self.nonzero, (size,))
        weights = rng.normal((size, self.nonzero)).double()
        chosen = torch.gather(x, 2, support[:, None].expand(-1, self.examples, -1))
        return self.prompts(x, (chosen * weights[:, None]).sum(dim=-1), rng)

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Zero, average, ridge, lasso, and Bayes' rule: the average of all supports' ridges.

        Average and ridge are the best multiples and penalties for dense w of this variance.
        Lasso minimizes the mean squared error / 2 + 0.1 |w|_1.
        """
        import torch

        from synthbench_function_classes import predictors
        from synthbench_function_classes.lasso import lasso
        from synthbench_function_classes.prompts import examples_of, outputs_of
        from synthbench_function_classes.supports import among_supports

        x, y = examples_of(batch)
        added = curves.added(self.d, self.relative_noise)
        variance = self.nonzero / self.d
        return outputs_of(
            {
                "trivial": torch.zeros_like(y),
                "average": predictors.scaled_average(x, y, added),
                "ridge": predictors.best_linear(variance * x @ x.mT, y, self.noise),
                "lasso": lasso(x, y, LASSO_PENALTY),
                "optimal": among_supports(x, y, self.noise, self.nonzero),
            }
        )

    def exact_scores(self) -> Mapping[str, float]:
        """Means of the exact curves of what is linear in y."""

        def mean(after: curves.AfterExamples) -> float:
            return fmean(after(k, self.d, self.relative_noise) for k in range(self.examples))

        return {"trivial": 1.0, "average": mean(curves.average), "ridge": mean(curves.ridge)}
