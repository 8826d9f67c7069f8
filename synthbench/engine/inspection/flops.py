"""Floating-point operations of one training step of one replica."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from synthbench.contracts.batch import Batch
from synthbench.engine.axis.interception import ReplicaFunctions
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.objective import recipe_loss
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.inspection.flop_forms import FLOP_FORMS
from synthbench.engine.inspection.flop_formulas import FORMULAS
from synthbench.plan.cell import Cell
from synthbench.streams import NoiseStream


def count_step_flops(cell: Cell, replicas: PlainReplicas, batch: Batch, noise: Tensor) -> int:
    """FLOPs of the forward and backward pass on one batch, one replica.

    batch: leaves (R, B, ...); noise: (R,). Counts as `count_flops` does; the optimizer is left
    out. 0 where the counter fails on what the module does.
    """
    loss = recipe_loss(cell.task, cell.model)
    try:
        return count_flops(partial(replicas.differentiate, 0, loss, batch, noise))
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return 0


def count_flops(function: Callable[[], object]) -> int:
    """FLOPs of the products of matrices, convolutions, attention and the like inside a function.

    A multiplication and an addition are two. Every product counts as it is written, on whichever
    kernel it runs; elementwise work, sums and look-ups are left out.
    """
    stream = NoiseStream(torch.zeros((), dtype=torch.int64))
    counter = FlopCounterMode(display=False, custom_mapping=dict(FORMULAS))
    counter.mod_tracker = _Untracked()  # type: ignore[assignment]
    with _written_out(), counter, ReplicaFunctions(stream, FLOP_FORMS):
        function()
    return int(counter.get_total_flops())


class _Untracked(nullcontext[None]):
    """In place of torch's tracker of modules, which fails where a forward pass differentiates."""

    parents = ("Global",)


@contextmanager
def _written_out() -> Iterator[None]:
    """No compiler and no encoder layer in one kernel; einsum in the order in which it is written.

    Fused attention has formulas, and stays: written out, it might not fit into memory.
    """
    fast_path = torch.backends.mha.get_fastpath_enabled()
    with ExitStack() as stack:
        stack.enter_context(torch.compiler.set_stance("force_eager"))
        stack.enter_context(torch.backends.opt_einsum.flags(enabled=False))
        stack.callback(torch.backends.mha.set_fastpath_enabled, fast_path)
        torch.backends.mha.set_fastpath_enabled(False)
        yield
