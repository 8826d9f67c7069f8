"""What one replica minimizes."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from synthbench.contracts.batch import Batch, Loss
from synthbench.contracts.model import Model
from synthbench.contracts.task import Task
from synthbench.engine.axis.replicas import Network
from synthbench.engine.axis.state import State


@dataclass(frozen=True)
class Objective:
    """The training loss of one replica as a function of its parameters."""

    network: Network
    loss: Loss

    def __call__(
        self, parameters: State, buffers: State, batch: Batch, noise: Tensor | None = None
    ) -> Tensor:
        """Scalar loss of one replica on one batch; noise: () key of the numbers it draws."""
        output = self.network.forward(parameters, buffers, batch.x, training=True, noise=noise)
        return self.loss(output, batch)


def recipe_loss(task: Task, model: Model) -> Loss:
    """The loss the model is trained on."""
    losses = task.losses()
    return losses[model.training_loss(losses)]
