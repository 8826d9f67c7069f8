"""Losses and gradients of all replicas in one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.func import grad_and_value
from torch.utils._pytree import tree_leaves, tree_map

from synthbench.contracts.batch import Batch
from synthbench.engine.axis.objective import Objective
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.replicas import State
from synthbench.engine.axis.tracing import traced

Gradients = Callable[[State, State, Batch], tuple[State, Tensor]]
"""(parameters, buffers, batch), all (R, ...) -> (gradients (R, ...), losses (R,))."""


def replica_gradients(objective: Objective, looped: bool) -> Gradients:
    """Gradients of every replica's own loss; traced, unless they must be looped."""

    def of_one(parameters: State, buffers: State, batch: Any) -> Any:
        kind = tree_leaves(parameters)[0].device.type
        mixed, precision = torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)

        def loss(parameters: State, buffers: State, batch: Batch) -> Tensor:
            with torch.autocast(kind, precision, enabled=mixed):
                return objective(parameters, buffers, batch)

        # As PyTorch does: autocast is for the forward pass, whose types the backward pass keeps.
        with torch.autocast(kind, enabled=False):
            return grad_and_value(loss)(parameters, buffers, Batch(*batch))

    function = over_replicas(of_one, looped)
    if looped:
        return lambda p, b, batch: tree_map(Tensor.detach, function(p, b, tuple(batch)))
    replayed = traced(function)
    return lambda p, b, batch: replayed(p, b, tuple(batch))
