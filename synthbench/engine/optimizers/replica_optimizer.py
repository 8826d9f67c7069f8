"""One optimizer of a plugin over R replicas: its step vmapped, or called once per replica."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from synthbench.contracts.recipe import Optimizer, Recipe
from synthbench.engine.optimizers.looped import LoopedStep
from synthbench.engine.optimizers.step import ReplicaStep
from synthbench.engine.optimizers.vmapped import VmappedStep


class ReplicaOptimizer(torch.optim.Optimizer):
    """What Lightning sees: one torch optimizer over stacked parameters, with one learning rate.

    A replica whose gradient is not finite becomes NaN, which the next evaluation reports as
    diverged, and no longer reaches the inner optimizer: a decomposition that refuses NaN would
    otherwise end its neighbours too. One whose own step raises becomes NaN, too.
    """

    def __init__(
        self, optimizer: Optimizer, recipe: Recipe, stacked: Mapping[str, Tensor], looped: bool
    ) -> None:
        """stacked: parameters (R, ...) by name."""
        super().__init__(list(stacked.values()), {"lr": recipe.lr})
        self._peak = recipe.lr
        self._stacked = dict(stacked)
        kind = LoopedStep if looped else VmappedStep
        self._replicas: ReplicaStep = kind(optimizer, recipe, self._stacked)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Change the stacked parameters by their gradients (R, ...)."""
        loss = closure() if closure is not None else None
        gradients = {
            name: torch.zeros_like(p) if p.grad is None else p.grad
            for name, p in self._stacked.items()
        }
        finite = torch.stack([_all_finite(g) for g in gradients.values()]).all(0)
        healthy = {name: _where(finite, g, 0.0) for name, g in gradients.items()}
        self._replicas.step(healthy, float(self.param_groups[0]["lr"]) / self._peak, finite)
        for parameter in self._stacked.values():
            parameter.copy_(_where(finite, parameter, torch.nan))
        return loss

    def state_dict(self) -> dict[str, Any]:
        """The stacked optimizer's own state, and that of the replicas."""
        return {**super().state_dict(), "replicas": self._replicas.state()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what `state_dict` gave."""
        own = {key: value for key, value in state_dict.items() if key != "replicas"}
        super().load_state_dict(own)
        self._replicas.load(state_dict["replicas"])

    @property
    def failure(self) -> Exception | None:
        """What the step of a replica has raised, where steps are looped."""
        return self._replicas.failure


def _all_finite(gradients: Tensor) -> Tensor:
    """(R, ...) -> (R,)."""
    return gradients.reshape(gradients.shape[0], -1).isfinite().all(1)


def _where(mask: Tensor, values: Tensor, other: float) -> Tensor:
    """values (R, ...) where mask (R,), `other` elsewhere."""
    return torch.where(mask.reshape(-1, *[1] * (values.dim() - 1)), values, other)
