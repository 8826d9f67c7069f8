"""What each replica is given, as a hash: equal everywhere, so that reruns can be compared."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from synthbench.engine.data.sampling import draw_batch, draw_worlds
from synthbench.plan.cell import Cell, ReplicaSeeds
from synthbench.streams import Purpose, keys_of

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
    drawn = [
        draw_batch(cell.task, worlds, keys_of(keys), purpose, 0, size)
        for keys, purpose, size in (
            ([s.train for s in seeds], Purpose.TRAIN, cell.model.recipe.batch_size),
            ([s.eval for s in seeds], Purpose.EVAL, cell.protocol.evaluation_batch),
        )
    ]
    leaves = [*tree_leaves(worlds), *tree_leaves(drawn)]
    return [_hash([leaf[r] for leaf in leaves]) for r in range(len(seeds))]


def _hash(tensors: Sequence[Tensor]) -> str:
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tensor.dtype} {tuple(tensor.shape)};".encode())
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()
