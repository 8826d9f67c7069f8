"""A frozen teacher beside every replica: its outputs, and the loss that is held against them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch, Loss
from synthbench.contracts.distillation import TEACHER, distillation, mixed
from synthbench.engine.axis.building import build_modules
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.objective import recipe_loss
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.axis.replicas import Network, stacked_replicas
from synthbench.engine.axis.state import State
from synthbench.engine.axis.tracing import traced
from synthbench.plan.cell import Cell
from synthbench.plan.sources import Teacher

Outputs = Callable[[State, Tensor], Tensor]
"""(weights, x), both (R, ...) -> outputs (R, B, ...)."""
Teach = Callable[[State, Batch], Batch]
"""(teachers' weights, batch), all (R, ...) -> the batch with the teachers' outputs."""


def teacher_of(cell: Cell) -> Teacher[Cell] | None:
    """Whose outputs the training needs: nobody's where the own loss counts alone."""
    return None if cell.teacher is None or cell.teacher.hard == 1 else cell.teacher


def training_loss(cell: Cell) -> Loss:
    """What the cell minimizes: its recipe's loss, its distance from the teacher, or both."""
    own, teacher = recipe_loss(cell.task, cell.model), teacher_of(cell)
    if teacher is None:
        return own
    soft = distillation(cell.task.interface.output, teacher.temperature)
    return mixed(soft, own, teacher.hard)


def teaching(cell: Cell) -> Teach | None:
    """Adds the outputs of the cell's teacher, in evaluation mode; None where nobody teaches."""
    teacher = teacher_of(cell)
    if teacher is None:
        return None
    outputs_of = _outputs(teacher.cell)

    def teach(weights: State, batch: Batch) -> Batch:
        outputs = outputs_of(weights, batch.x)
        return batch._replace(latents={**batch.latents, TEACHER: outputs})

    return teach


def _outputs(cell: Cell) -> Outputs:
    """Outputs of networks with these weights: all at once, or of plain modules where it must be."""
    plain, chosen = _plain_outputs(cell), list[Outputs]()

    @torch.no_grad()
    def outputs(weights: State, x: Tensor) -> Tensor:
        if not chosen:
            stacked = _stacked_outputs(cell, weights, x, plain(weights, x))
            chosen.append(stacked or plain)
        return chosen[0](weights, x)

    return outputs


def _stacked_outputs(cell: Cell, weights: State, x: Tensor, expected: Tensor) -> Outputs | None:
    """Those of a stack, if they are what plain modules give here."""
    first = cell.protocol.first_seed

    def of_one(network: Network, weights: State, x: Tensor) -> Tensor:
        return network.forward(weights, {}, x)

    try:
        replicas = stacked_replicas(cell.model, cell.interface, [first, first])
        stacked = traced(replicas.lift(of_one))
        found = stacked(weights, x)
    # Whatever cannot be stacked.
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return None
    same = torch.allclose(found, expected, rtol=1e-3, atol=1e-4, equal_nan=True)
    return stacked if same else None


def _plain_outputs(cell: Cell) -> Outputs:
    first = cell.protocol.first_seed
    kept: list[PlainReplicas] = []
    taken: list[State] = []

    def outputs(weights: State, x: Tensor) -> Tensor:
        if not kept:
            modules = build_modules(cell.model, cell.interface, [first] * x.shape[0])
            kept.append(PlainReplicas.of(cell.model, modules, cell.interface))
        (replicas,) = kept
        # The same weights teach for many steps.
        if not taken or taken[0] is not weights:
            own = {name: weights[name] for name in replicas.parameters}
            replicas.adopt(own, {name: weights[name] for name in replicas.buffers})
            taken[:] = [weights]
        found: Tensor = replicas.lift(lambda network, p, x: network.forward(p, {}, x))(
            replicas.parameters, x
        )
        return found

    return outputs
