"""What one replica minimizes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from synthbench.contracts.batch import Batch, Loss
from synthbench.engine.axis.replicas import Replicas, State
from synthbench.plan.cell import Cell


@dataclass(frozen=True)
class Objective:
    """The training loss of one replica as a function of its parameters."""

    replicas: Replicas
    loss: Loss

    def __call__(self, parameters: State, buffers: State, batch: Batch) -> Tensor:
        """Scalar loss of one replica on one batch."""
        output = self.replicas.forward(parameters, buffers, batch.x, training=True)
        return self.loss(output, batch)


def recipe_loss(cell: Cell) -> Loss:
    """The loss the model's recipe names, or the task's default."""
    losses = cell.task.losses()
    return losses[cell.model.recipe.loss or next(iter(losses))]
