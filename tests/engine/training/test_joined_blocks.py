"""Blocks with any replicas of a cell, finished in any order, make the table of one block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from synthbench.engine.axis.way import BY_DEFAULT
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import BlockResult, TrainerOptions, train_block
from synthbench.engine.training.joined_blocks import joined_blocks
from synthbench.plan.cell import Cell


@pytest.fixture(scope="module")
def brief(small_cell: Cell) -> Cell:
    """The small cell without its end."""
    changes = {"budget": 640, "resolution": 0.3}
    return replace(small_cell, protocol=small_cell.protocol.model_copy(update=changes))


def train(cell: Cell, numbers: Sequence[int], folder: Path) -> BlockResult:
    seeds = cell.replica_seeds()
    own = tuple(seeds[number] for number in numbers)
    block = Block(numbers[0], own, max(len(own), 2), kept_steps=(10,), numbers=tuple(numbers))
    return train_block(cell, block, TrainerOptions("cpu"), BY_DEFAULT, folder / "checkpoint")


def test_gapped_blocks_in_any_order_are_the_block_of_all(brief: Cell, tmp_path: Path) -> None:
    whole = train(brief, range(6), tmp_path)
    parts = [train(brief, numbers, tmp_path) for numbers in ([4], [1, 2, 5], [0, 3])]
    joined = joined_blocks([replace(part, seconds=1.0) for part in parts])
    assert joined.table.equals(whole.table)
    assert (joined.references, joined.diverged) == (whole.references, whole.diverged)
    for one, other in ((joined.weights, whole.weights), (joined.snapshots, whole.snapshots)):
        assert one.keys() == other.keys()
        assert all(torch.equal(one[name], other[name]) for name in one)
    assert joined.seconds == 3


def test_a_block_without_weights_joins_one_without(brief: Cell, tmp_path: Path) -> None:
    part = replace(train(brief, [0, 1], tmp_path), weights={}, snapshots={}, graphs=None)
    joined = joined_blocks([part])
    assert (joined.weights, joined.snapshots, joined.graphs) == ({}, {}, None)
