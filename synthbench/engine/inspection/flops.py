"""Floating-point operations of one training step of one replica."""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from synthbench.contracts.batch import Batch
from synthbench.engine.axis.objective import Objective


def count_step_flops(objective: Objective, batch: Batch) -> int:
    """FLOPs of the forward and backward pass on one batch, one replica, no vmap.

    batch: leaves (B, ...). Counts matrix products, convolutions and attention, as
    `torch.utils.flop_counter` does; elementwise work and the optimizer are left out.
    """
    parameters = {
        name: tensor[0].detach().clone().requires_grad_()
        for name, tensor in objective.replicas.parameters.items()
    }
    buffers = {name: tensor[0].clone() for name, tensor in objective.replicas.buffers.items()}
    with FlopCounterMode(display=False) as counter, torch.enable_grad():
        torch.autograd.backward(objective(parameters, buffers, batch))
    return int(counter.get_total_flops())
