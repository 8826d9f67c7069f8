"""A frozen teacher beside every replica: its outputs, and the loss that is held against them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch, Loss
from synthbench.contracts.distillation import TEACHER, distillation, mixed
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.objective import recipe_loss
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.replicas import State, build_modules, stack_modules
from synthbench.engine.axis.tracing import traced
from synthbench.plan.cell import Cell
from synthbench.plan.sources import Teacher

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


def _outputs(cell: Cell) -> Callable[[State, Tensor], Tensor]:
    """(weights, x), both (R, ...) -> outputs (R, B, ...): vmapped, or looped where it must be."""
    first = cell.protocol.first_seed
    modules = build_modules(cell.model, cell.interface, [first, first])
    replicas = stack_modules(cell.model, modules)

    def of_one(weights: State, x: Tensor) -> Tensor:
        return replicas.forward(weights, {}, x)

    vmapped, looped = traced(over_replicas(of_one)), over_replicas(of_one, looped=True)
    looping = False

    @torch.no_grad()
    def outputs(weights: State, x: Tensor) -> Tensor:
        nonlocal looping
        if not looping:
            try:
                return vmapped(weights, x)
            # Whatever vmap cannot take; what the loop cannot either is raised there.
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                looping = True
        return looped(weights, x)

    return outputs
