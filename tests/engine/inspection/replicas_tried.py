"""Replicas of a cell as they are before training, plain and stacked, with a first batch."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch
from synthbench.engine.axis.building import build_modules
from synthbench.engine.axis.gradients import stacked_gradients
from synthbench.engine.axis.objective import Objective, recipe_loss
from synthbench.engine.axis.plain import PlainReplicas
from synthbench.engine.axis.replicas import stack_modules
from synthbench.engine.axis.way import Way
from synthbench.engine.data.sampling import batch_at, cast_batch, draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.engine.inspection.flops import count_flops, count_step_flops
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of, noise_keys


@dataclass(frozen=True)
class ReplicasTried:
    """R replicas of a cell; batch: leaves (R, B, ...)."""

    cell: Cell
    plain: PlainReplicas
    batch: Batch
    noise: Tensor

    @classmethod
    def of(cls, cell: Cell, count: int) -> ReplicasTried:
        seeds = list(range(7, 7 + count))
        keys = keys_of(seeds)
        batches = training_data(cell, draw_worlds(cell.task, keys), keys).batches(
            range(1), cell.batch_size
        )
        batch = batch_at(cast_batch(batches, torch.float32), 0)
        modules = build_modules(cell.model, cell.interface, seeds)
        plain = PlainReplicas.of(cell.model, modules, cell.interface)
        return cls(cell, plain, batch, noise_keys(keys, range(1))[0])

    def step_flops(self) -> int:
        return count_step_flops(self.cell, self.plain, self.batch, self.noise)

    def forward_flops(self) -> int:
        """Of one replica."""
        module = self.plain.networks[0].module
        with torch.no_grad():
            return count_flops(lambda: module(self.batch.x[0]))

    def stacked_step_flops(self) -> int:
        """Of all replicas, in one pass under vmap."""
        seeds = list(range(7, 7 + len(self.noise)))
        modules = build_modules(self.cell.model, self.cell.interface, seeds)
        stack = stack_modules(self.cell.model, modules, self.cell.interface)
        objective = Objective(stack, recipe_loss(self.cell.task, self.cell.model))
        gradients = stacked_gradients(objective, Way.STACKED)
        return count_flops(
            lambda: gradients(stack.parameters, stack.buffers, self.batch, self.noise)
        )
