"""Whether a network's output has the shape that its task wants."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch
from synthbench.contracts.interface import Interface
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.data.held_out import held_out_sets
from synthbench.engine.data.sampling import cast_batch, draw_worlds
from synthbench.errors import ModelError
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of


@torch.no_grad()
def check_output_shape(cell: Cell, replicas: PlainReplicas, batch: Batch) -> None:
    """Raise ModelError, naming both shapes, unless the output fits every interface.

    batch: leaves (R, B, ...).
    """
    own = {name: tensor[0] for name, tensor in replicas.parameters.items()}
    for interface, x in _inputs(cell, batch):
        output = replicas.networks[0].forward(own, {}, x)
        expected = (x.shape[0], *interface.output.shape)
        if tuple(output.shape) != expected:
            raise ModelError(
                f'model "{cell.model.label()}" must return shape {expected} for '
                f"{interface.describe()}, got {tuple(output.shape)}{_turned(output, expected)}"
            )


def _turned(output: Tensor, expected: tuple[int, ...]) -> str:
    """What to do about an output whose last two axes are the other way round."""
    found = tuple(output.shape)
    if len(found) >= 3 and (*found[:-2], found[-1], found[-2]) == expected:
        return "; end its forward pass with .transpose(-1, -2)"
    return ""


def _inputs(cell: Cell, batch: Batch) -> Iterator[tuple[Interface, Tensor]]:
    """Inputs of one replica for every interface: of training, and of other test sets."""
    yield cell.task.interface, batch.x[0]
    keys = keys_of([cell.protocol.first_seed])
    worlds = draw_worlds(cell.task, keys)
    for held_out in held_out_sets(cell.task):
        if held_out.interface != cell.task.interface:
            found = cast_batch(next(held_out.batches(worlds, keys, cell.protocol)), torch.float32)
            yield held_out.interface, found.x[0]
