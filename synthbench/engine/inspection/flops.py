"""Floating-point operations of one training step of one replica."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from synthbench.contracts.batch import Batch
from synthbench.engine.axis.interception import RECURRENT, ReplicaFunctions
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.objective import recipe_loss
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.axis.stacked_forms import STACKED_FORMS
from synthbench.plan.cell import Cell
from synthbench.streams import NoiseStream

COUNTED = {function: STACKED_FORMS[function] for function in RECURRENT}
"""Torch's kernels for these hide from the counter what they multiply."""


def count_step_flops(cell: Cell, replicas: PlainReplicas, batch: Batch, noise: Tensor) -> int:
    """FLOPs of the forward and backward pass on one batch, one replica.

    batch: leaves (R, B, ...). Counts matrix products, convolutions and attention, as
    `torch.utils.flop_counter` does; elementwise work and the optimizer are left out. 0 where the
    counter fails on what the module does.
    """
    replicas.running = [True, *[False] * (len(replicas.networks) - 1)]
    try:
        stream = NoiseStream(torch.zeros((), dtype=torch.int64))
        with FlopCounterMode(display=False) as counter, ReplicaFunctions(stream, COUNTED):
            replicas.gradients(recipe_loss(cell.task, cell.model), batch, noise)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return 0
    return int(counter.get_total_flops())
