"""What all blocks of a cell compute, so that blocks of one width share its traces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthbench.contracts.recipe import Optimizer, Recipe
from synthbench.engine.axis.gradients import Gradients, stacked_gradients
from synthbench.engine.axis.objective import Objective
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.axis.replicas import Replicas, stacked_replicas
from synthbench.engine.axis.tracing import Execute, replayed
from synthbench.engine.axis.way import Way
from synthbench.engine.optimizers.elementwise import rule_of
from synthbench.engine.training.score_totals import BatchScores
from synthbench.engine.training.scoring import replica_scores
from synthbench.engine.training.step import Step, plain_step, stacked_step
from synthbench.engine.training.teaching import Teach, teaching, training_loss
from synthbench.plan.cell import Cell


@dataclass(frozen=True)
class CellFunctions:
    """A step of training, scores for evaluation, and what a teacher adds to a batch.

    gradients: for optimizers of plugins, which take no part in a step that is recorded. step:
    None for those.
    """

    gradients: Gradients
    step: Step | None
    scores: BatchScores
    teach: Teach | None = None


def stacked_functions(
    cell: Cell, way: Way, execute: Execute = replayed, recipes: Sequence[Recipe] = ()
) -> CellFunctions:
    """The functions of a cell's stacks, from modules of their own; execute, recipes: see below."""
    first = cell.protocol.first_seed
    stack = stacked_replicas(cell.model, cell.interface, [first, first])
    return functions_of(cell, stack, way, execute, recipes)


def functions_of(
    cell: Cell,
    replicas: Replicas | PlainReplicas,
    way: Way,
    execute: Execute = replayed,
    recipes: Sequence[Recipe] = (),
) -> CellFunctions:
    """The functions of a cell, from replicas that are there already.

    execute: what becomes of a recorded training step. Evaluations are few, and replayed.
    recipes: those of all cells that are stacked with it.
    """
    loss, scores, taught = training_loss(cell), replica_scores(cell, replicas, way), teaching(cell)
    plugin = isinstance(cell.model.recipe.optimizer, Optimizer)
    rule = None if plugin else rule_of(recipes or [cell.model.recipe])
    if isinstance(replicas, PlainReplicas):
        gradients: Gradients = lambda _, __, batch, noise: replicas.gradients(loss, batch, noise)  # noqa: E731
        step = None if rule is None else plain_step(gradients, rule)
    else:
        objective = Objective(replicas, loss)
        gradients = stacked_gradients(objective, way, execute)
        step = None if rule is None else stacked_step(objective, rule, way, execute)
    return CellFunctions(gradients, step, scores, taught)
