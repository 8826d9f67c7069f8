"""What all blocks of a cell compute, so that blocks of one width share its traces."""

from __future__ import annotations

from dataclasses import dataclass

from synthbench.engine.axis.gradients import Gradients, stacked_gradients
from synthbench.engine.axis.objective import Objective
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.axis.replicas import Replicas, stacked_replicas
from synthbench.engine.axis.way import Way
from synthbench.engine.training.scoring import BatchScores, replica_scores
from synthbench.engine.training.teaching import Teach, teaching, training_loss
from synthbench.plan.cell import Cell


@dataclass(frozen=True)
class CellFunctions:
    """Gradients for training, scores for evaluation, and what a teacher adds to a batch."""

    gradients: Gradients
    scores: BatchScores
    teach: Teach | None = None


def stacked_functions(cell: Cell, way: Way) -> CellFunctions:
    """The functions of a cell's stacks, from modules of their own."""
    first = cell.protocol.first_seed
    return functions_of(cell, stacked_replicas(cell.model, cell.interface, [first, first]), way)


def functions_of(cell: Cell, replicas: Replicas | PlainReplicas, way: Way) -> CellFunctions:
    """The functions of a cell, from replicas that are there already."""
    loss = training_loss(cell)
    if isinstance(replicas, PlainReplicas):
        gradients: Gradients = lambda _, __, batch, noise: replicas.gradients(loss, batch, noise)  # noqa: E731
    else:
        gradients = stacked_gradients(Objective(replicas, loss), way)
    return CellFunctions(gradients, replica_scores(cell, replicas, way), teaching(cell))
