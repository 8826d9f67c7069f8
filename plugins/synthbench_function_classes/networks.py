"""Two-layer ReLU networks in context (Garg et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Batch, Preset
from synthbench_function_classes.baselines import GARG, SMALL
from synthbench_function_classes.function_class import FunctionClass

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream


class InContextNetworks(FunctionClass):
    """Predict y_i = f(x_i) + noise for f(x) = sum of a_j ReLU(w_j.x) over r hidden units.

    All w_j are standard normal and a_j of variance 2 / r, new in every sequence. Scores are
    squared errors of f(x_i), over d = E f(x)^2. Since 2 ReLU(z) = z + |z|, half of f is linear;
    so linear regression ends at 1/2. Progress is relative to the kernel: the best predictor
    that is linear in y, and Bayes' rule as r grows.
    """

    name: ClassVar[str] = "in-context-networks"
    headline: ClassVar[tuple[str, ...]] = ("d", "hidden", "examples")
    paper: ClassVar[str] = "Garg et al. 2022, arXiv:2208.01066"
    ceiling: ClassVar[str] = "kernel"
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset("d=2 examples=10 target=0.6", SMALL, 128_000, evaluation_samples=512),
        "garg": Preset("d=20 examples=101", GARG, 32_000_000),
    }

    examples: int = Field(default=16, ge=1)
    """Examples K in a sequence; the i-th is predicted from the i - 1 before it."""
    hidden: int = Field(default=100, ge=1)
    """Hidden units r of each function."""

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh sequences with a new network each."""
        x = self.inputs(rng, size)
        inner = rng.normal((size, self.d, self.hidden)).double()
        outer = (2 / self.hidden) ** 0.5 * rng.normal((size, self.hidden, 1)).double()
        return self.prompts(x, ((x @ inner).relu() @ outer).squeeze(-1), rng)

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Zero, ridge regression for the linear half, and the class's own kernel.

        Ridge takes the other half, of variance d / 2, for noise, which it is by symmetry: it
        is uncorrelated with every x_j.
        """
        import torch

        from synthbench_function_classes.covariances import network_covariance
        from synthbench_function_classes.predictors import best_linear
        from synthbench_function_classes.prompts import examples_of, outputs_of

        x, y = examples_of(batch)
        return outputs_of(
            {
                "trivial": torch.zeros_like(y),
                "ridge": best_linear(x @ x.mT / 2, y, self.noise + self.d / 2),
                "kernel": best_linear(network_covariance(x), y, self.noise),
            }
        )

    def exact_scores(self) -> Mapping[str, float]:
        """Squared error: E f(x)^2 = d."""
        return {"trivial": 1.0}
