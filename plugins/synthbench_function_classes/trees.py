"""Decision trees in context (Garg et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping
from statistics import fmean
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Batch, Preset
from synthbench_function_classes import leaves
from synthbench_function_classes.baselines import GARG, SMALL
from synthbench_function_classes.function_class import FunctionClass

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench import Stream


class InContextTrees(FunctionClass):
    """Predict y_i = f(x_i) + noise, where f is a full binary tree of random signs.

    Every inner node asks for the sign of a coordinate, uniform among the d; every leaf holds a
    standard normal number. Trees are new in every sequence. Progress is relative to an oracle
    that knows the splits, and only has to see what is in the leaves.
    """

    name: ClassVar[str] = "in-context-trees"
    headline: ClassVar[tuple[str, ...]] = ("d", "depth", "examples")
    paper: ClassVar[str] = "Garg et al. 2022, arXiv:2208.01066"
    ceiling: ClassVar[str] = "known-splits"
    presets: ClassVar[Mapping[str, Preset]] = {
        "small": Preset(
            "d=3 depth=1 examples=10 target=0.6", SMALL, 64_000, evaluation_samples=512
        ),
        "garg": Preset("d=20 depth=4 examples=101", GARG, 32_000_000),
    }

    examples: int = Field(default=16, ge=1)
    """Examples K in a sequence; the i-th is predicted from the i - 1 before it."""
    depth: int = Field(default=2, ge=1, le=10)
    """Signs asked for on the way to a leaf; there are 2^depth leaves."""

    @property
    def mean_square(self) -> float:
        """E f(x)^2 = 1."""
        return 1.0

    def sample(self, world: Tensor, rng: Stream, size: int) -> Batch:
        """Fresh sequences with a new tree each; latents: also the `leaf` of each input."""
        from synthbench_function_classes.tree_paths import leaf_of

        x = self.inputs(rng, size)
        leaf = leaf_of(x, rng.integers(self.d, (size, 2**self.depth - 1)), self.depth)
        numbers = rng.normal((size, 2**self.depth)).double()
        batch = self.prompts(x, numbers.gather(1, leaf), rng)
        return batch._replace(latents={**batch.latents, "leaf": leaf})

    def references(self, world: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """Zero, the scaled mean of what was seen, the class's own kernel, and known splits."""
        import torch

        from synthbench_function_classes import covariances, tree_paths
        from synthbench_function_classes.predictors import best_linear
        from synthbench_function_classes.prompts import examples_of, outputs_of

        x, y = examples_of(batch)
        factors = [leaves.mean_factor(k, self.d, self.depth, self.noise) for k in self.seen]
        earlier = y.cumsum(dim=1) - y
        kernel = best_linear(covariances.tree_covariance(x, self.depth), y, self.noise)
        oracle = tree_paths.mean_of_leaf(batch.latents["leaf"], y, self.noise)
        return outputs_of(
            {
                "trivial": torch.zeros_like(y),
                "mean": earlier * torch.tensor(factors, dtype=y.dtype, device=y.device),
                "kernel": kernel,
                "known-splits": oracle,
            }
        )

    @property
    def seen(self) -> range:
        """Numbers of examples before each: 0, ..., K - 1."""
        return range(self.examples)

    def exact_scores(self) -> Mapping[str, float]:
        """Squared errors of the mean and of known splits, over the chances to meet in a leaf."""
        shape = (self.d, self.depth, self.noise)
        return {
            "trivial": 1.0,
            "mean": fmean(leaves.mean(k, *shape) for k in self.seen),
            "known-splits": fmean(leaves.known_splits(k, *shape) for k in self.seen),
        }
