"""Steps of optimizers that work on each replica's own parameters: with closures or graphs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthbench.contracts.batch import Batch, Loss
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.axis.state import State
from synthbench.engine.optimizers.clipping import clip_scale
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer


@dataclass(frozen=True)
class OwnGradients:
    """Evaluates plain modules as such an optimizer asks for it.

    masks: factors (R, ...) of parameters that are pruned. clip: as in the recipe.
    """

    replicas: PlainReplicas
    loss: Loss
    masks: State
    clip: float | None

    def step(self, optimizer: ReplicaOptimizer, batch: Batch, noise: Tensor) -> Tensor:
        """One step of every running replica; returns the losses (R,) before it, NaN of others."""
        optimizer.running = self.replicas.running
        if not optimizer.needs.closure:
            _, losses = self.replicas.gradients(self.loss, batch, noise, graph=True)
            for r, running in enumerate(self.replicas.running):
                if running:
                    self._finish(r)
            optimizer.step()
            return losses
        losses = torch.full_like(noise, torch.nan, dtype=torch.float32)
        optimizer.closures = [
            self._closure(r, batch, noise, losses, optimizer.needs.graph) for r in range(len(noise))
        ]
        optimizer.step()
        return losses

    def _closure(
        self, r: int, batch: Batch, noise: Tensor, losses: Tensor, graph: bool
    ) -> Callable[[], Tensor]:
        """Evaluates one replica's loss and gradients; the first loss of a step is written down."""

        def closure() -> Tensor:
            value = self.replicas.differentiate(r, self.loss, batch, noise, graph)
            self._finish(r)
            if losses[r].isnan():
                losses[r] = value
            return value

        return closure

    def _finish(self, r: int) -> None:
        """Prune and clip the gradients of one replica, out of place: they may have a graph."""
        own = self.replicas.networks[r].parameters
        for name, mask in self.masks.items():
            gradient = own[name].grad
            if gradient is not None:
                own[name].grad = gradient * mask[r]
        if self.clip is not None:
            _clip(own, self.clip)


def _clip(own: Mapping[str, nn.Parameter], largest: float) -> None:
    """`clip_per_replica` for one replica."""
    squares = [p.grad.square().sum() for p in own.values() if p.grad is not None]
    scale = clip_scale(squares, largest)
    for parameter in own.values():
        if parameter.grad is not None:
            parameter.grad = parameter.grad * scale
