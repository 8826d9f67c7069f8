"""Slow gradients amplified before AdamW or Adam (Lee et al. 2024): its name and its fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from synthbench import Optimizer, Recipe

if TYPE_CHECKING:
    from torch import nn, optim


class Grokfast(Optimizer):
    """AdamW or Adam on g + lamb h, where h is a slow running mean of the gradient g.

    h <- alpha h + (1 - alpha) g, with h = g before the first step, as in the released code.
    Learning rate, weight decay, beta1, beta2 and eps are the recipe's. With lamb=0 it is AdamW,
    or Adam.
    """

    name: ClassVar[str] = "grokfast"
    paper: ClassVar[str] = "Lee et al. 2024, arXiv:2405.20233 (Grokfast-EMA)"

    alpha: float = Field(default=0.98, ge=0, lt=1)
    """Decay of the running mean of the gradient."""
    lamb: float = Field(default=2.0, ge=0)
    """Factor with which that mean is added to the gradient."""
    base: Literal["adamw", "adam"] = "adamw"
    """What steps along the sum: decoupled weight decay, or added to the gradient as in the
    released code."""

    def build(self, parameters: Mapping[str, nn.Parameter], recipe: Recipe) -> optim.Optimizer:
        """One step class for all parameters; vectors are a group of their own for the decay."""
        # Here, so that optimizers can be listed and described without torch.
        from synthbench_grokfast.filtered_adam import FilteredAdam

        matrices = [p for p in parameters.values() if p.ndim > 1]
        vectors = [p for p in parameters.values() if p.ndim <= 1]
        decay = recipe.weight_decay
        groups: list[dict[str, Any]] = [
            {"params": matrices, "weight_decay": decay},
            {"params": vectors, "weight_decay": decay if recipe.decayed == "all" else 0.0},
        ]
        return FilteredAdam(
            [group for group in groups if group["params"]],
            filtered=(self.alpha, self.lamb),
            lr=recipe.lr,
            betas=(recipe.beta1, recipe.beta2),
            eps=recipe.eps,
            decoupled_weight_decay=self.base == "adamw",
            foreach=False,
        )
