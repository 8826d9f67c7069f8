"""Training examples of the first steps, on which a network is tried."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.data.sampling import batch_at, cast_batch, draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.errors import SynthbenchError, TaskError, explain
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of, noise_keys

STEPS = 3
"""Different ones, so that what a trace has frozen is seen."""


@dataclass(frozen=True)
class Lesson:
    """What is tried: batches, leaves (STEPS, R, B, ...), and keys of noise (STEPS, R)."""

    batches: Batch
    noise: Tensor

    def step(self, index: int) -> tuple[Batch, Tensor]:
        """The batch and the keys of one step."""
        return batch_at(self.batches, index), self.noise[index]


@torch.no_grad()
def lesson_of(cell: Cell, seeds: list[int]) -> Lesson:
    """Training examples of the first steps.

    Raises TaskError where they cannot be drawn: held-out samples do not come from sample_at.
    """
    worlds, keys = draw_worlds(cell.task, keys_of(seeds)), keys_of(seeds)
    try:
        batches = training_data(cell, worlds, keys).batches(range(STEPS), cell.batch_size)
    except SynthbenchError:
        raise
    except Exception as error:
        if is_out_of_memory(error):
            raise
        method = "train_set" if cell.has_train_set else "sample_at"
        raise TaskError(
            f'task "{cell.task.label()}" fails in {method}: {explain(error)}'
        ) from error
    return Lesson(cast_batch(batches, torch.float32), noise_keys(keys, range(STEPS)))
