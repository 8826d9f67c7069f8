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
    stacked: Outputs | None = None
    plain = _plain_outputs(cell)
    compared = False

    @torch.no_grad()
    def outputs(weights: State, x: Tensor) -> Tensor:
        nonlocal stacked, compared
        if not compared:
            compared = True
            expected = plain(weights, x)
            stacked = _stacked_outputs(cell)
            try:
                found = stacked(weights, x)
                if not torch.allclose(found, expected, rtol=1e-3, atol=1e-4, equal_nan=True):
                    stacked = None
            # Whatever cannot be stacked.
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                stacked = None
        return plain(weights, x) if stacked is None else stacked(weights, x)

    return outputs


def _stacked_outputs(cell: Cell) -> Outputs:
    first = cell.protocol.first_seed

    def of_one(network: Network, weights: State, x: Tensor) -> Tensor:
        return network.forward(weights, {}, x)

    def outputs(weights: State, x: Tensor) -> Tensor:
        if not functions:
            replicas = stacked_replicas(cell.model, cell.interface, [first, first])
            functions.append(traced(replicas.lift(of_one)))
        return functions[0](weights, x)

    functions: list[Outputs] = []
    return outputs


def _plain_outputs(cell: Cell) -> Outputs:
    first = cell.protocol.first_seed
    kept: list[PlainReplicas] = []

    def outputs(weights: State, x: Tensor) -> Tensor:
        if not kept:
            modules = build_modules(cell.model, cell.interface, [first] * x.shape[0])
            kept.append(PlainReplicas.of(cell.model, modules, cell.interface))
        (replicas,) = kept
        own = {name: weights[name] for name in replicas.parameters}
        replicas.adopt(own, {name: weights[name] for name in replicas.buffers})
        found: Tensor = replicas.lift(lambda network, p, x: network.forward(p, {}, x))(own, x)
        return found

    return outputs
