"""What is found out about a cell before it trains: does it fit, can it be vmapped, its cost."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from synthbench.contracts.recipe import Optimizer
from synthbench.engine.axis.memory import memory_errors
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.inspection.flops import count_step_flops
from synthbench.engine.inspection.lesson import lesson_of
from synthbench.engine.inspection.measured import check_measured
from synthbench.engine.inspection.task import check_loss, check_task
from synthbench.engine.inspection.ways import Ways, try_ways
from synthbench.engine.optimizers.needs import OptimizerNeeds
from synthbench.engine.optimizers.trial import optimizer_needs
from synthbench.engine.optimizers.trial_steps import parameter_shapes
from synthbench.plan.cell import Cell

OWN_GRADIENTS = "its optimizer evaluates the loss, or differentiates gradients, of one replica"


@dataclass(frozen=True)
class CellFacts:
    """Parameters of one replica, FLOPs of its step, and the ways in which it can be trained.

    optimizer: what one of a plugin needs, on CPU; None for those of the core.
    """

    parameters: int
    step_flops: int
    ways: Ways = Ways()
    optimizer: OptimizerNeeds | None = None


def inspect_cell(cell: Cell) -> CellFacts:
    """Check a cell and train two replicas for a few steps in every way, on CPU.

    Raises InterfaceError, ConfigurationError or ModelError with one clear line.
    """
    cell.check()
    first = cell.protocol.first_seed
    seeds = [first, (first + 1) % 2**64]
    mixed = torch.autocast("cpu", torch.bfloat16, enabled=cell.protocol.precision == "bf16-mixed")
    with memory_errors(cell.model.label()):
        check_task(cell)
        lesson = lesson_of(cell, seeds)
        check_loss(cell, lesson.step(0)[0])
        with mixed:
            tried = try_ways(cell, seeds, lesson)
        needs = _optimizer_needs(cell, tried.plain)
        if needs is not None and needs.own_gradients:
            tried = tried.without_stack(OWN_GRADIENTS)
        with mixed:
            ways = check_measured(cell, tried, seeds)
        parameters = tried.plain.parameters
        return CellFacts(
            parameters=sum(p[0].numel() for p in parameters.values()),
            step_flops=count_step_flops(cell, tried.plain, *lesson.step(0)),
            ways=ways,
            optimizer=needs,
        )


def _optimizer_needs(cell: Cell, plain: PlainReplicas) -> OptimizerNeeds | None:
    """Step a plugin's optimizer; the ones of the core need no trial."""
    recipe = cell.model.recipe
    if not isinstance(recipe.optimizer, Optimizer):
        return None
    shapes = parameter_shapes(plain.parameters)
    owners = [network.parameters for network in plain.networks]
    return optimizer_needs(recipe.optimizer, recipe, shapes, "cpu", owners)
