"""Small cells, trained in one block on a device of choice."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pytest
import torch

import synthbench as sb
from synthbench.engine.axis.way import Draws, Execution, Way
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import BlockResult, TrainerOptions, train_block
from synthbench.plan.cell import Cell, ReplicaSeeds
from synthbench.registry.registry import installed

# Others' warnings must not fail what is measured here.
ON_GPU = [pytest.mark.cuda, pytest.mark.filterwarnings("default")]
CELLS = {
    "mlp": ("sparse-parity n=20 k=2", "mlp width=64 momentum=0.9 clip=1 schedule=cosine"),
    "adamw": ("sparse-parity n=20 k=2", "mlp width=64 optimizer=adamw lr=0.003 weight_decay=0.1"),
    "transformer": ("markov symbols=2 length=32 last=8", "transformer lr=0.002"),
    "dropout": (
        "sparse-parity n=8 k=2",
        "transformer positions=absolute layers=1 mlp=2 dropout=0.1",
    ),
}


def cell_of(name: str, steps: int = 150, **protocol: object) -> Cell:
    """One of the cells for so many optimizer steps of each of eight replicas."""
    task, model = installed().task(CELLS[name][0]), installed().model(CELLS[name][1])
    chosen = {"seeds": 8, "evaluation_samples": 256, "until": "budget", "resolution": 0.2}
    budget = steps * int(model.recipe.batch_size)
    return Cell(task, model, sb.Protocol(**{"budget": budget, **chosen, **protocol}))


def train(
    cell: Cell,
    folder: Path,
    accelerator: str = "gpu",
    seeds: list[int] | None = None,
    options: TrainerOptions | None = None,
) -> BlockResult:
    """Train all replicas of a cell, or some seeds, in one block."""
    folder.mkdir(exist_ok=True)
    chosen = range(cell.protocol.seeds) if seeds is None else seeds
    block = Block(0, tuple(ReplicaSeeds.same(seed) for seed in chosen), len(chosen))
    execution = Execution(Way.TRACED, Draws(intercepted=True))
    trainer = options or TrainerOptions(accelerator)
    return train_block(cell, block, trainer, execution, folder / "checkpoint")


def rows(result: BlockResult, replica: int) -> object:
    """What one replica scored."""
    table = result.table
    return table.filter(pc.equal(table["replica"], replica)).drop_columns(["replica"])


def assert_same(found: BlockResult, expected: BlockResult, what: str) -> None:
    """To the bit: weights, then every column."""
    for name, weights in expected.weights.items():
        assert torch.equal(found.weights[name], weights), f"{what}: weights {name}"
    for name in expected.table.column_names:
        assert found.table[name].equals(expected.table[name]), f"{what}: column {name}"
