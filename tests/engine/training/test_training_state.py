"""Training that goes on from where a smaller budget ended has the bits of one that never ended.

`pytest -m slow` adds momentum from a step that the longer budget does not look at.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

import synthbench as sb
from synthbench.engine.axis.way import Execution, Way
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import BlockResult, TrainerOptions, train_block
from synthbench.engine.training.training_state import Continuation
from synthbench.metrics.trajectories import Trajectories
from synthbench.plan.cell import Cell
from synthbench.plan.schedule import evaluation_steps
from synthbench.registry.registry import installed

STEPS = 120
"""Of the longer budget, which looks at step 41 as the shorter one does, and not at step 61."""


def cell(model: str, steps: int) -> Cell:
    protocol = sb.Protocol(budget=32 * steps, seeds=4, evaluation_samples=128, resolution=0.25)
    probes = (installed().probe("weight-movement"),)
    task = installed().task("sparse-parity n=12 k=3")
    return Cell(task, installed().model(f"mlp width=8 {model}"), protocol, probes)


def train(planned: Cell, folder: Path, way: Way = Way.TRACED, **changes: object) -> BlockResult:
    block = Block(0, tuple(planned.replica_seeds()), 4, keeps_state=True)
    execution = Execution(way)
    chosen = replace(block, **changes)
    return train_block(planned, chosen, TrainerOptions("cpu"), execution, folder / "checkpoint")


def continuation(planned: Cell, begun: BlockResult, places: Sequence[int]) -> Continuation:
    """Of some replicas of a block, in that order."""
    assert begun.state is not None
    points = evaluation_steps(planned.steps, planned.protocol.resolution)
    trajectories = Trajectories.from_blocks([begun.table], 32, 1)
    steps = trajectories.by_replica("step")[0]
    common = [i for i, step in enumerate(steps) if step in points]
    names = [n for n in trajectories.measured if n not in ("samples", "flops")]
    columns = {
        name: np.stack([trajectories.by_replica(name)[r][common] for r in places], axis=1)
        for name in names
    }
    met = columns["progress"] >= planned.task.target
    return Continuation(begun.state.rows(places, places), columns, met)


class Stopped(pl.Callback):
    """Saves a checkpoint at some evaluation, and ends there."""

    def __init__(self, path: Path, evaluations: int) -> None:
        self.path, self.left = path, evaluations

    def on_validation_end(self, trainer: pl.Trainer, *_: object) -> None:
        self.left -= 1
        if not self.left:
            trainer.save_checkpoint(self.path)
            raise InterruptedError


@pytest.mark.parametrize(
    ("model", "short", "way"),
    [
        ("lr=0.02", 61, Way.STACKED),
        ("lr=0.02 momentum=0.9", 41, Way.TRACED),
        pytest.param("lr=0.02 momentum=0.9", 61, Way.TRACED, marks=pytest.mark.slow),
        ("optimizer=adam lr=0.001", 61, Way.TRACED),
    ],
)
def test_going_on_is_never_having_stopped(model: str, short: int, way: Way, tmp_path: Path) -> None:
    long = cell(model, STEPS)
    begun = train(cell(model, short), tmp_path / "begun", way)
    assert begun.state is not None and begun.state.replicas == (0, 1, 2, 3)
    whole = train(long, tmp_path / "whole", way)
    went_on = train(
        long,
        tmp_path / "went_on",
        way,
        seeds=tuple(long.replica_seeds()[r] for r in (3, 1)),
        numbers=(1, 3),
        width=2,
        continuation=continuation(long, begun, [3, 1]),
    )
    for place, row in enumerate((3, 1)):
        own = went_on.rows(place, place + 1, [0])
        assert own.table.equals(whole.rows(row, row + 1, [0]).table)
        assert all(torch.equal(own.weights[n][0], whole.weights[n][row]) for n in own.weights)
    assert went_on.state is not None and whole.state is not None
    for name, tensor in went_on.state.tensors.items():
        assert torch.equal(tensor, whole.state.tensors[name][[3, 1]])


def test_a_continued_block_is_resumed_from_its_checkpoint(tmp_path: Path) -> None:
    long = cell("momentum=0.9 lr=0.02", STEPS)
    begun = train(cell("momentum=0.9 lr=0.02", 61), tmp_path / "begun")
    whole = train(long, tmp_path / "whole")
    block = Block(
        0, tuple(long.replica_seeds()), 4, continuation=continuation(long, begun, range(4))
    )
    path = tmp_path / "stopped.ckpt"
    stopped = TrainerOptions("cpu", (Stopped(path, 3),))
    with pytest.raises(InterruptedError):
        train_block(long, block, stopped, Execution(Way.TRACED), path)
    resumed = train_block(long, block, TrainerOptions("cpu"), Execution(Way.TRACED), path)
    assert resumed.table.equals(whole.table)
