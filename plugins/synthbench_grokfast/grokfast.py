"""Slow gradients amplified before AdamW or Adam (Lee et al. 2024), in front of torch's own step."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import nn

from synthbench import Optimizer, Recipe


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

    def build(
        self, parameters: Mapping[str, nn.Parameter], recipe: Recipe
    ) -> torch.optim.Optimizer:
        """One step class for all parameters; vectors are a group of their own for the decay."""
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


class FilteredAdam(torch.optim.Adam):
    """torch's Adam, which is given each gradient with its running mean added."""

    def __init__(
        self, groups: list[dict[str, Any]], filtered: tuple[float, float], **settings: Any
    ) -> None:
        super().__init__(groups, **settings)
        for group in self.param_groups:
            group["alpha"], group["lamb"] = filtered

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]
        """Filter every gradient, then step; the means are kept in the state."""
        means = {}
        for group in self.param_groups:
            for parameter in group["params"]:
                gradient = parameter.grad
                if gradient is None:
                    continue
                before = self.state[parameter].get("slow", gradient)
                means[parameter] = group["alpha"] * before + (1 - group["alpha"]) * gradient
                parameter.grad = gradient + group["lamb"] * means[parameter]
        super().step()
        # Only now: Adam makes its own state where a parameter has none at all.
        for parameter, mean in means.items():
            self.state[parameter]["slow"] = mean
