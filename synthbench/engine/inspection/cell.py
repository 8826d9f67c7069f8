"""What is found out about a cell before it trains: does it fit, can it be vmapped, its cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import nn
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch
from synthbench.contracts.recipe import Optimizer
from synthbench.engine.axis.gradients import replica_gradients
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.objective import Objective, check_trainable, recipe_loss
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.replicas import build_modules, stack_modules
from synthbench.engine.data.sampling import as_batch, cast_batch, draw_batches, draw_worlds
from synthbench.engine.inspection.flops import count_step_flops
from synthbench.engine.inspection.task import check_task
from synthbench.engine.optimizers.trial import optimizer_loop_reason, parameter_shapes
from synthbench.engine.training.scoring import Evaluator
from synthbench.errors import ModelError, explain
from synthbench.plan.cell import Cell
from synthbench.streams import Purpose, keys_of


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
        modules = build_modules(cell.model, cell.task.interface, seeds)
        objective = Objective(stack_modules(cell.model, modules), recipe_loss(cell))
        batch = _first_batch(cell, seeds)
        with mixed:
            reason = check_trainable(cell, objective, batch)
            _check_gradients(cell, objective, batch, looped=reason is not None)
            _check_measured(cell, objective, seeds, looped=reason is not None)
        # At full precision, where the two agree closely.
        _check_stack(cell, objective, modules, batch, looped=reason is not None)
        single = as_batch(tree_map(lambda leaf: leaf[0], batch))
        return CellFacts(
            parameters=sum(p[0].numel() for p in objective.replicas.parameters.values()),
            step_flops=count_step_flops(objective, single),
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
    worlds, keys = draw_worlds(cell.task, keys_of(seeds)), keys_of(seeds)
    size = cell.model.recipe.batch_size
    drawn = draw_batches(cell.task, worlds, keys, Purpose.TRAIN, range(1), size)
    return cast_batch(as_batch(tree_map(lambda leaf: leaf[0], drawn)), torch.float32)


@torch.no_grad()
def _check_stack(
    cell: Cell, objective: Objective, modules: list[nn.Module], batch: Batch, looped: bool
) -> None:
    """Compare the stack with the modules it was made of, which were initialized differently.

    What a module keeps outside its parameters and buffers, or assigns to a buffer instead of
    writing into it, is lost when modules are stacked.
    """
    buffers = {name: tensor.clone() for name, tensor in objective.replicas.buffers.items()}
    losses = over_replicas(objective, looped)(objective.replicas.parameters, buffers, batch)
    for r, module in enumerate(modules):
        own = as_batch(tree_map(lambda leaf: leaf[r], batch))  # noqa: B023
        pairs = [(objective.loss(module.train()(own.x), own), losses[r])]
        pairs += [(t, buffers[name][r]) for name, t in module.named_buffers() if name in buffers]
        if not all(
            torch.allclose(a.double(), b.double(), rtol=1e-3, atol=1e-5, equal_nan=True)
            for a, b in pairs
        ):
            raise ModelError(
                f'model "{cell.model.label()}" changes when its replicas are stacked; keep '
                "tensors in parameters or buffers, and write into buffers (copy_, add_)"
            )


def _check_gradients(cell: Cell, objective: Objective, batch: Batch, looped: bool) -> None:
    """Run the very step that training will run, once."""
    buffers = {name: tensor.clone() for name, tensor in objective.replicas.buffers.items()}
    try:
        replica_gradients(objective, looped)(objective.replicas.parameters, buffers, batch)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise ModelError(
            f'model "{cell.model.label()}" cannot be differentiated: {explain(error)}'
        ) from error


def _try_optimizer(cell: Cell, objective: Objective) -> str | None:
    """Step a plugin's optimizer; the ones of the core need no trial."""
    recipe = cell.model.recipe
    if not isinstance(recipe.optimizer, Optimizer):
        return None
    shapes = parameter_shapes(objective.replicas.parameters)
    return optimizer_loop_reason(recipe.optimizer, recipe, shapes, "cpu")


@torch.no_grad()
def _check_measured(cell: Cell, objective: Objective, seeds: list[int], looped: bool) -> None:
    """Score two replicas and run each probe on them once."""
    small = cell.protocol.model_copy(update={"evaluation_samples": cell.protocol.evaluation_batch})
    keys = keys_of(seeds)
    worlds = draw_worlds(cell.task, keys)
    for probes in ((), *((probe,) for probe in cell.probes)):
        part = replace(cell, protocol=small, probes=probes)
        what = f'probe "{probes[0].name}"' if probes else f'model "{cell.model.label()}"'
        try:
            evaluator = Evaluator(part, objective.replicas, looped)
            evaluator.prepare(worlds, keys, keys, torch.float32)
            buffers = {n: t.clone() for n, t in objective.replicas.buffers.items()}
            evaluator.measure(objective.replicas.parameters, buffers)
        except ModelError:
            raise
        except Exception as error:
            if is_out_of_memory(error):
                raise
            raise ModelError(f"{what} cannot be evaluated: {explain(error)}") from error
