"""Memory of the samples that a block holds while it trains."""

from __future__ import annotations

import torch

from synthbench.engine.axis.replicas import true_dtype
from synthbench.engine.data.held_out import held_out_sets
from synthbench.engine.data.sampling import batch_bytes, cast_batch, draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.engine.training.data_room import kept_bytes, steps_at_once
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of

CPU = torch.device("cpu")


@torch.no_grad()
def data_bytes(cell: Cell, width: int) -> int:
    """On a CPU: bytes of the test sets that are kept, a finite training set, a chunk of batches.

    width: replicas of the block; the samples of all take as much as those of the first.
    """
    seeds, dtype = cell.replica_seeds()[0], true_dtype(cell.protocol.precision)
    worlds = draw_worlds(cell.task, keys_of([seeds.world]))
    training = training_data(cell, worlds, keys_of([seeds.train]))
    one_step = width * batch_bytes(cast_batch(training.batches(range(1), cell.batch_size), dtype))
    chunk = one_step * steps_at_once(one_step, CPU)
    finite = training.samples_at(0)
    whole = 0 if finite is None else width * batch_bytes(cast_batch(finite, dtype))
    sets = held_out_sets(cell.task)
    held_out, keys = 0, keys_of([seeds.eval])
    for each in sets:
        drawn = each.batches(worlds, keys, cell.protocol)
        sizes = [width * batch_bytes(cast_batch(batch, dtype)) for batch in drawn]
        held_out += sum(sizes) if sum(sizes) <= kept_bytes(CPU) // len(sets) else max(sizes)
    return chunk + whole + held_out
