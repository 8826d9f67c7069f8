"""The finished blocks of one cell as one, in the order of its replicas."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import torch
from numpy.typing import NDArray

from synthbench.engine.axis.state import State
from synthbench.engine.training.block_training import BlockResult
from synthbench.engine.training.training_state import TrainingState


def joined_blocks(blocks: Sequence[BlockResult]) -> BlockResult:
    """What the replicas of all blocks measured, sorted by their numbers in the cell.

    The blocks may have been trained in any order, with any replicas of the cell in each.
    """
    table = pa.concat_tables([block.table for block in blocks])
    order = _order(blocks)
    # Stable, so that the rows of a replica stay in the order of their steps.
    rows = np.argsort(table["replica"].to_numpy(), kind="stable")
    references = [own for block in blocks for own in block.references]
    diverged = [own for block in blocks for own in block.diverged]
    return BlockResult(
        table=table.take(pa.array(rows)),
        references=[references[place] for place in order],
        diverged=[diverged[place] for place in order],
        weights=_stacked([block.weights for block in blocks], order),
        seconds=sum(block.seconds for block in blocks),
        snapshots=_stacked([block.snapshots for block in blocks], order),
        graphs=_graphs(blocks),
        state=_state([block.state for block in blocks if block.state is not None]),
    )


def _state(states: Sequence[TrainingState]) -> TrainingState | None:
    """Of those that trained to the end, which is the same step for all."""
    if not states:
        return None
    whole = TrainingState.joined(states)
    order = sorted(range(len(whole.replicas)), key=lambda place: whole.replicas[place])
    return whole.rows(order, [whole.replicas[place] for place in order])


def _order(blocks: Sequence[BlockResult]) -> NDArray[np.int64]:
    """Where in the blocks, one after the other, each replica is, by its number."""
    numbers = np.concatenate([np.unique(block.table["replica"].to_numpy()) for block in blocks])
    return np.argsort(numbers, kind="stable")


def _stacked(states: Sequence[State], order: NDArray[np.int64]) -> State:
    """Leaves (R, ...) of all blocks in that order; empty where nothing was kept."""
    places = torch.from_numpy(order)
    return {name: torch.cat([state[name] for state in states])[places] for name in states[0]}


def _graphs(blocks: Sequence[BlockResult]) -> bool | None:
    """Whether every block that was to be captured was; None where none was to be."""
    found = [block.graphs for block in blocks if block.graphs is not None]
    return all(found) if found else None
