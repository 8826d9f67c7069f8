"""Muon for matrices, AdamW for the rest (Jordan et al. 2024), by torch's own implementations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from synthbench import Optimizer, Recipe

if TYPE_CHECKING:
    from torch import nn, optim


class Muon(Optimizer):
    """Momentum whose update of every matrix is orthogonalized by a Newton-Schulz iteration.

    A matrix moves by about the same amount along all of its singular directions, however uneven
    its gradient is. What is not a matrix (biases, gains), and the layers named in `adamw`, are
    trained by AdamW at `lr` times `adamw_lr_ratio`, with the recipe's beta1, beta2 and eps.
    """

    name: ClassVar[str] = "muon"
    paper: ClassVar[str] = "Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/"

    momentum: float = Field(default=0.95, ge=0, lt=1)
    """Decay of the running mean of the gradient."""
    nesterov: bool = True
    """Nesterov's form of the momentum."""
    iterations: int = Field(default=5, ge=1, lt=100)
    """Newton-Schulz iterations, in bfloat16."""
    scale: Literal["original", "match_rms_adamw"] = "original"
    """Factor of lr for a matrix A x B: max(1, A/B)^(1/2), or 0.2 max(A, B)^(1/2) as in Adam."""
    adamw: str = ""
    """Names of parameters, as far as their dots, that AdamW trains: 'embedding,readout'."""
    adamw_lr_ratio: float = Field(default=1.0, gt=0)
    """Learning rate of AdamW over that of Muon."""

    def build(
        self, parameters: Mapping[str, nn.Parameter], recipe: Recipe
    ) -> list[optim.Optimizer]:
        """Muon for the matrices, AdamW for what is left; either alone if there is nothing else."""
        from torch import optim

        matrices = {n: p for n, p in parameters.items() if p.ndim == 2 and not self._for_adamw(n)}
        others = [parameter for name, parameter in parameters.items() if name not in matrices]
        built: list[optim.Optimizer] = []
        if matrices:
            built.append(
                optim.Muon(
                    list(matrices.values()),
                    lr=recipe.lr,
                    weight_decay=recipe.weight_decay,
                    momentum=self.momentum,
                    nesterov=self.nesterov,
                    ns_steps=self.iterations,
                    adjust_lr_fn=self.scale,
                )
            )
        if others:
            built.append(
                optim.AdamW(
                    others,
                    lr=recipe.lr * self.adamw_lr_ratio,
                    betas=(recipe.beta1, recipe.beta2),
                    eps=recipe.eps,
                    weight_decay=recipe.weight_decay if recipe.decayed == "all" else 0.0,
                    foreach=False,
                )
            )
        return built

    def _for_adamw(self, name: str) -> bool:
        layers = [layer.strip() for layer in self.adamw.split(",") if layer.strip()]
        return any(name == layer or name.startswith(f"{layer}.") for layer in layers)
