"""The held-out samples of a replica, drawn again from its seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthbench.contracts.batch import Batch
from synthbench.metrics.score_names import set_name
from synthbench.plan.protocol import Protocol

if TYPE_CHECKING:
    from synthbench.contracts.task import Task
    from synthbench.records.schema import Record


def held_out_batch(task: Task, record: Record, replica: int) -> Batch:
    """All of a replica's samples of the ranked test set, as one batch."""
    import torch
    from torch.utils._pytree import tree_map

    from synthbench.engine.data.held_out import held_out_sets
    from synthbench.engine.data.sampling import draw_worlds
    from synthbench.streams import keys_of

    seeds, protocol = record.replicas[replica].seeds, Protocol(**record.protocol)
    worlds = draw_worlds(task, keys_of([seeds["world"]]))
    wanted = set_name(record.ranked)
    ranked = next(found for found in held_out_sets(task) if found.name == wanted)
    batches = list(ranked.batches(worlds, keys_of([seeds["eval"]]), protocol))
    return Batch(*tree_map(lambda *leaves: torch.cat([leaf[0] for leaf in leaves]), *batches))
