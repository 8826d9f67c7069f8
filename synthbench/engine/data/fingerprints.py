"""What each replica is given, as a hash: equal everywhere, so that reruns can be compared."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.utils._pytree import tree_leaves

from synthbench.engine.data.held_out import held_out_sets
from synthbench.engine.data.sampling import batch_at, draw_worlds
from synthbench.engine.data.training_data import FreshData, training_data
from synthbench.hashing import tensor_hash
from synthbench.plan.cell import Cell, ReplicaSeeds
from synthbench.streams import keys_of

DRAWN_AT_ONCE = 64
"""Replicas whose batches are held in memory together."""


@torch.no_grad()
def data_fingerprints(cell: Cell, seeds: Sequence[ReplicaSeeds]) -> list[str]:
    """SHA-256 of each replica's hidden truth, first training batch and first held-out batch.

    A function of task, batch sizes and the replica's own seeds: the same on every device and
    among any neighbours.
    """
    starts = range(0, len(seeds), DRAWN_AT_ONCE)
    return [h for start in starts for h in _hashes(cell, seeds[start : start + DRAWN_AT_ONCE])]


def _hashes(cell: Cell, seeds: Sequence[ReplicaSeeds]) -> list[str]:
    worlds = draw_worlds(cell.task, keys_of([s.world for s in seeds]))
    keys = keys_of([s.train for s in seeds])
    # Of samples that are drawn once, the hash is that of fresh ones, as it always was.
    own = cell.has_train_set
    training = training_data(cell, worlds, keys) if own else FreshData(cell.task, worlds, keys)
    first = batch_at(training.batches(range(1), cell.batch_size), 0)
    ranked = held_out_sets(cell.task)[0]
    held_out = next(ranked.batches(worlds, keys_of([s.eval for s in seeds]), cell.protocol))
    leaves = [*tree_leaves(worlds), *tree_leaves([first, held_out])]
    return [tensor_hash([leaf[r] for leaf in leaves]) for r in range(len(seeds))]
