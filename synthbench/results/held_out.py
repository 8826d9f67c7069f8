"""The held-out samples of a replica, drawn again from its seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthbench.contracts.batch import Batch
from synthbench.streams import Purpose, Stream

if TYPE_CHECKING:
    from synthbench.contracts.task import Task
    from synthbench.records.schema import Record


def held_out_batch(task: Task, record: Record, replica: int) -> Batch:
    """All of a replica's samples of the ranked test set, as one batch."""
    import torch
    from torch.utils._pytree import tree_map

    seeds, protocol = record.replicas[replica].seeds, record.protocol
    world = task.world(Stream.from_seed(seeds["world"], Purpose.WORLD))
    sets = task.test_sets()
    _, _, name = (protocol.get("score") or "").partition("@")
    ranked = sets[name] if name in sets else next(iter(sets.values()))
    if ranked.whole is not None:
        return ranked.whole(world)
    assert ranked.sample is not None
    size = protocol["evaluation_batch"]
    batches = [
        ranked.sample(world, Stream.from_seed(seeds["eval"], Purpose.EVAL, call), size)
        for call in range(protocol["evaluation_samples"] // size)
    ]
    return Batch(*tree_map(lambda *leaves: torch.cat(leaves), *batches))
