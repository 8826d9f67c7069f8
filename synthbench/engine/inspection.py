"""What is found out about a cell before it trains: does it fit, can it be vmapped, its cost."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch.utils._pytree import tree_map

from synthbench.cell import Cell
from synthbench.engine.flops import count_step_flops
from synthbench.engine.objective import Objective, check_trainable, recipe_loss
from synthbench.engine.replicas import build_replicas
from synthbench.engine.sampling import as_batch, draw_batches, draw_worlds
from synthbench.streams import Purpose, keys_of


@dataclass(frozen=True)
class CellFacts:
    """Parameters of one replica, FLOPs of its step, and why it must be looped (or None)."""

    parameters: int
    step_flops: int
    loop_reason: str | None


def inspect_cell(cell: Cell) -> CellFacts:
    """Check a cell and run two replicas forward and backward once, on CPU.

    Raises InterfaceError, ConfigurationError or ModelError with one clear line.
    """
    cell.check()
    seeds = [cell.replica_seeds()[0]] * 2
    replicas = build_replicas(cell.model, cell.task.interface, [s.init for s in seeds])
    objective = Objective(replicas, recipe_loss(cell))
    keys = keys_of([s.train for s in seeds])
    with torch.no_grad():
        worlds = draw_worlds(cell.task, keys_of([s.world for s in seeds]))
        size = cell.model.recipe.batch_size
        drawn = draw_batches(cell.task, worlds, keys, Purpose.TRAIN, range(1), size)
    batch = as_batch(tree_map(lambda leaf: leaf[0], drawn))
    reason = check_trainable(cell, objective, batch)
    return CellFacts(
        parameters=sum(p[0].numel() for p in replicas.parameters.values()),
        step_flops=count_step_flops(objective, as_batch(tree_map(lambda leaf: leaf[0], batch))),
        loop_reason=reason,
    )
