"""Losses and gradients of all replicas in one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor
from torch.func import grad_and_value
from torch.utils._pytree import tree_map

from synthbench.engine.axis import over_replicas
from synthbench.engine.objective import Objective
from synthbench.engine.replicas import State
from synthbench.engine.tracing import traced
from synthbench.task import Batch

Gradients = Callable[[State, State, Batch], tuple[State, Tensor]]
"""(parameters, buffers, batch), all (R, ...) -> (gradients (R, ...), losses (R,))."""


def replica_gradients(objective: Objective, looped: bool) -> Gradients:
    """Gradients of every replica's own loss; traced, unless they must be looped."""

    def of_one(parameters: State, buffers: State, batch: Any) -> Any:
        return grad_and_value(objective)(parameters, buffers, Batch(*batch))

    function = over_replicas(of_one, looped)
    if looped:
        return lambda p, b, batch: tree_map(Tensor.detach, function(p, b, tuple(batch)))
    replayed = traced(function)

    def gradients(parameters: State, buffers: State, batch: Batch) -> tuple[State, Tensor]:
        found, losses = replayed(parameters, buffers, tuple(batch))
        return found, losses

    return gradients
