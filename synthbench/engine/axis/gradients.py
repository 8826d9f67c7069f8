"""Losses and gradients of all replicas in one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.func import grad_and_value
from torch.utils._pytree import tree_leaves

from synthbench.contracts.batch import Batch
from synthbench.engine.axis.objective import Objective
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.state import State
from synthbench.engine.axis.tracing import Execute, replayed, traced
from synthbench.engine.axis.way import Way

Gradients = Callable[[State, State, Batch, Tensor], tuple[State, Tensor]]
"""(parameters, buffers, batch, noise), all (R, ...) -> (gradients (R, ...), losses (R,))."""


def stacked_gradients(
    objective: Objective, way: Way = Way.TRACED, execute: Execute = replayed
) -> Gradients:
    """Gradients of every replica's own loss, under vmap.

    execute: what becomes of the recording, if there is one.
    """
    function = lifted_gradients(objective)
    called = traced(function, execute) if way is Way.TRACED else function
    return lambda p, b, batch, noise: called(p, b, tuple(batch), noise)


def lifted_gradients(objective: Objective) -> Callable[[State, State, Any, Tensor], Any]:
    """The same, to be called, or recorded as a part of more; the batch is a plain tuple."""

    def of_one(parameters: State, buffers: State, batch: Any, noise: Tensor) -> Any:
        kind = tree_leaves(parameters)[0].device.type
        mixed, precision = torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind)

        def loss(parameters: State, buffers: State, batch: Batch) -> Tensor:
            with torch.autocast(kind, precision, enabled=mixed):
                return objective(parameters, buffers, batch, noise)

        # As PyTorch does: autocast is for the forward pass, whose types the backward pass keeps.
        with torch.autocast(kind, enabled=False):
            return grad_and_value(loss)(parameters, buffers, Batch(*batch))

    return over_replicas(of_one)
