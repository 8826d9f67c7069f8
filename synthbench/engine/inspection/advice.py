"""What to change in a network that does not fit its task."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench.engine.axis.calling import call
from synthbench.engine.data.sampling import draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of

EXAMPLES = 3


@torch.no_grad()
def model_advice(cell: Cell) -> str:
    """A clause for the error about a network that cannot be trained; empty if nothing is seen.

    Runs one fresh network on a few examples, as its author would.
    """
    try:
        x = _examples(cell)
        with torch.random.fork_rng(devices=[]):
            module = cell.model.build(cell.interface)
    # Whatever it is, the error at hand says more.
    except Exception:
        return ""
    port, kind = cell.task.interface.input, str(x.dtype).removeprefix("torch.")
    shape = ", ".join(str(size) for size in x.shape[1:])
    try:
        call(module, x)
    except Exception:
        hint = "" if x.is_floating_point() else "; integers go through nn.Embedding or one_hot"
        return f"; its input x is {kind} of shape (B, {shape}): {port.describe()}{hint}"
    return ""


def _examples(cell: Cell) -> Tensor:
    seed = cell.protocol.first_seed
    keys = keys_of([seed])
    data = training_data(cell, draw_worlds(cell.task, keys), keys)
    return data.batches(range(1), cell.batch_size).x[0, 0, :EXAMPLES]
