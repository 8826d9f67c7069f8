"""What is found out about a cell before it trains: does it fit, can it be vmapped, its cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from synthbench.contracts.batch import Batch
from synthbench.contracts.recipe import Optimizer
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.objective import Objective, recipe_loss
from synthbench.engine.axis.replicas import build_modules, stack_modules
from synthbench.engine.data.sampling import batch_at, cast_batch, draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.engine.inspection.flops import count_step_flops
from synthbench.engine.inspection.model import (
    check_gradients,
    check_measured,
    check_stack,
    check_trainable,
)
from synthbench.engine.inspection.task import check_loss, check_task
from synthbench.engine.optimizers.trial import optimizer_loop_reason, parameter_shapes
from synthbench.errors import ModelError, SynthbenchError, TaskError, explain
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of


@dataclass(frozen=True)
class CellFacts:
    """Parameters of one replica, FLOPs of its step, and why it must be looped (or None).

    optimizer_loop_reason: the same for the step of the optimizer, on CPU.
    """

    parameters: int
    step_flops: int
    loop_reason: str | None
    optimizer_loop_reason: str | None = None


def inspect_cell(cell: Cell) -> CellFacts:
    """Check a cell and run two replicas forward and backward once, on CPU.

    Raises InterfaceError, ConfigurationError or ModelError with one clear line.
    """
    cell.check()
    first = cell.protocol.first_seed
    seeds = [first, (first + 1) % 2**64]
    mixed = torch.autocast("cpu", torch.bfloat16, enabled=cell.protocol.precision == "bf16-mixed")
    with _memory_errors(cell):
        check_task(cell)
        modules = build_modules(cell.model, cell.interface, seeds)
        objective = Objective(
            stack_modules(cell.model, modules), recipe_loss(cell.task, cell.model)
        )
        batch = _first_batch(cell, seeds)
        check_loss(cell, batch)
        with mixed:
            reason = check_trainable(cell, objective, batch)
            check_gradients(cell, objective, batch, looped=reason is not None)
            check_measured(cell, objective, seeds, looped=reason is not None)
        # At full precision, where the two agree closely.
        check_stack(cell, objective, modules, batch, looped=reason is not None)
        return CellFacts(
            parameters=sum(p[0].numel() for p in objective.replicas.parameters.values()),
            step_flops=count_step_flops(objective, batch_at(batch, 0)),
            loop_reason=reason,
            optimizer_loop_reason=_try_optimizer(cell, objective),
        )


@contextmanager
def _memory_errors(cell: Cell) -> Iterator[None]:
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        raise ModelError(
            f'two replicas of "{cell.model.label()}" do not fit into memory; '
            "take a smaller model or batch_size"
        ) from None


@torch.no_grad()
def _first_batch(cell: Cell, seeds: list[int]) -> Batch:
    """Training examples of the first step, leaves (R, B, ...).

    Raises TaskError where they cannot be drawn: held-out samples do not come from sample_at.
    """
    worlds, keys = draw_worlds(cell.task, keys_of(seeds)), keys_of(seeds)
    try:
        batches = training_data(cell, worlds, keys).batches(range(1), cell.batch_size)
    except SynthbenchError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        method = "train_set" if cell.has_train_set else "sample_at"
        raise TaskError(
            f'task "{cell.task.label()}" fails in {method}: {explain(error)}'
        ) from error
    return cast_batch(batch_at(batches, 0), torch.float32)


def _try_optimizer(cell: Cell, objective: Objective) -> str | None:
    """Step a plugin's optimizer; the ones of the core need no trial."""
    recipe = cell.model.recipe
    if not isinstance(recipe.optimizer, Optimizer):
        return None
    shapes = parameter_shapes(objective.replicas.parameters)
    return optimizer_loop_reason(recipe.optimizer, recipe, shapes, "cpu")
