"""What all blocks of a cell compute, so that blocks of one width share its traces."""

from __future__ import annotations

from dataclasses import dataclass

from synthbench.engine.axis.gradients import Gradients, replica_gradients
from synthbench.engine.axis.objective import Objective
from synthbench.engine.axis.replicas import Replicas, build_modules, stack_modules
from synthbench.engine.training.scoring import BatchScores, replica_scores
from synthbench.engine.training.teaching import Teach, teaching, training_loss
from synthbench.plan.cell import Cell


@dataclass(frozen=True)
class CellFunctions:
    """Gradients for training, scores for evaluation, and what a teacher adds to a batch."""

    gradients: Gradients
    scores: BatchScores
    teach: Teach | None = None


def cell_functions(cell: Cell, looped: bool) -> CellFunctions:
    """The functions of a cell, from a module of its own."""
    first = cell.protocol.first_seed
    modules = build_modules(cell.model, cell.interface, [first, first])
    return functions_of(cell, stack_modules(cell.model, modules), looped)


def functions_of(cell: Cell, replicas: Replicas, looped: bool) -> CellFunctions:
    """The functions of a cell, from replicas that are there already."""
    return CellFunctions(
        replica_gradients(Objective(replicas, training_loss(cell)), looped),
        replica_scores(cell, replicas, looped),
        teaching(cell),
    )
