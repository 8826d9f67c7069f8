"""What one replica minimizes, and how its module is checked before training."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch, Loss
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.replicas import Replicas, State
from synthbench.errors import ModelError, explain, first_line
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


def check_trainable(cell: Cell, objective: Objective, batch: Batch) -> str | None:
    """Try the forward and backward pass; say why it must be looped, or None if it need not.

    batch: leaves (R, B, ...). Raises ModelError when the module works neither vmapped nor
    looped, returns the wrong shape, draws random numbers in its forward pass, or gives
    different results for the same parameters and input.
    """
    name = f'model "{cell.model.label()}"'
    generator = torch.random.get_rng_state()
    reason, losses = _try_vmapped_then_looped(name, objective, batch)
    if not torch.equal(generator, torch.random.get_rng_state()):
        torch.random.set_rng_state(generator)
        raise _random_forward(name)
    again = _attempt(objective, batch, looped=reason is not None)
    if not torch.allclose(losses, again, rtol=0, atol=0, equal_nan=True):
        raise ModelError(
            f"{name} gives two results for the same parameters and input; keep state in "
            "buffers, not in attributes"
        )
    _check_output_shape(cell, objective, batch)
    return reason


def _try_vmapped_then_looped(
    name: str, objective: Objective, batch: Batch
) -> tuple[str | None, Tensor]:
    try:
        return None, _attempt(objective, batch, looped=False)
    except ModelError:
        raise
    except Exception as vmap_error:
        reason = first_line(vmap_error)
    if "randomness" in reason:
        raise _random_forward(name)
    try:
        return reason, _attempt(objective, batch, looped=True)
    except Exception as error:
        raise ModelError(f"{name} cannot be trained: {explain(error)}") from error


def _random_forward(name: str) -> ModelError:
    return ModelError(
        f"{name} draws random numbers in its forward pass, so a replica would depend on "
        "its neighbours; use synthbench.Dropout, or make the forward pass deterministic"
    )


def _attempt(objective: Objective, batch: Batch, looped: bool) -> Tensor:
    """Losses (R,) of a forward and backward pass on copies of the parameters and buffers."""
    parameters = {
        name: tensor.detach().clone().requires_grad_()
        for name, tensor in objective.replicas.parameters.items()
    }
    buffers = {name: tensor.clone() for name, tensor in objective.replicas.buffers.items()}
    losses: Tensor = over_replicas(objective, looped)(parameters, buffers, batch)
    losses.sum().backward()  # type: ignore[no-untyped-call]
    return losses.detach()


def _check_output_shape(cell: Cell, objective: Objective, batch: Batch) -> None:
    first = {name: tensor[0] for name, tensor in objective.replicas.parameters.items()}
    buffers = {name: tensor[0].clone() for name, tensor in objective.replicas.buffers.items()}
    with torch.no_grad():
        output = objective.replicas.forward(first, buffers, batch.x[0])
    expected = (batch.x.shape[1], *cell.task.interface.output.shape)
    if tuple(output.shape) != expected:
        raise ModelError(
            f'model "{cell.model.label()}" must return shape {expected} for '
            f"{cell.task.interface.describe()}, got {tuple(output.shape)}"
        )
