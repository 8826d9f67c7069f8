"""Cells that differ in numbers alone train in one stack, and have the numbers they have alone.

`pytest -m slow` adds a whole grid in one block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from safetensors.torch import load_file

import synthbench as sb
from synthbench.evaluation import jobs
from synthbench.listeners.listener import BlockProgress, Silent
from synthbench.plan.cell import Cell
from synthbench.plan.stacking import stacking_key
from synthbench.registry.registry import installed

SETTINGS = sb.Settings(sb.TrainerOptions("cpu"), keep_weights=True)


def cell(model: str, task: str = "sparse-parity n=8 k=2", **changes: object) -> Cell:
    protocol = sb.Protocol(budget=1_280, seeds=3, evaluation_samples=128, resolution=0.2)
    own = protocol.model_copy(update=changes)
    return Cell(installed().task(task), installed().model(model), own)


GRID = [
    cell("mlp width=16 lr=0.05"),
    cell("mlp width=16 lr=0.2 weight_decay=0.01"),
    cell("mlp width=16 lr=0.1 momentum=0.9 schedule=cosine", seeds=2, first_seed=5),
    cell("mlp width=16 lr=0.1", "sparse-parity n=8 k=2 noise=0.2"),
]


class Listening(Silent):
    def __init__(self) -> None:
        self.notes: list[str] = []
        self.started: list[str] = []
        self.blocks: dict[str, list[BlockProgress]] = {}

    def note(self, message: str) -> None:
        self.notes.append(message)

    def cell_started(self, cell: Cell) -> None:
        self.started.append(cell.plan_hash())

    def block_advanced(self, progress: BlockProgress) -> None:
        self.blocks.setdefault(progress.cell.plan_hash(), []).append(progress)


def train(cells: Sequence[Cell], out: Path, **changes: object) -> sb.Results:
    return sb.evaluate_cells(cells, out, replace(SETTINGS, **changes))


def assert_same(one: sb.CellResult, other: sb.CellResult) -> None:
    assert one.measured.trajectories.table.equals(other.measured.trajectories.table)
    first, second = (load_file(r.folder / "weights.safetensors") for r in (one, other))
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert one.record.summary == other.record.summary
    assert one.record.replicas == other.record.replicas


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> list[sb.CellResult]:
    return [train([each], tmp_path_factory.mktemp("apart"))[0] for each in GRID]


# The others of this file share a stack whose width nobody chose.
@pytest.mark.parametrize("width", [pytest.param(None, marks=pytest.mark.slow), 4])
def test_a_grid_in_one_stack_has_the_bits_of_cells_alone(
    width: int | None, apart: list[sb.CellResult], tmp_path: Path
) -> None:
    listening = Listening()
    results = train(GRID, tmp_path, listener=listening, replicas_per_block=width)
    for one, other in zip(results, apart, strict=True):
        assert_same(one, other)
    assert any("4 cells that differ in numbers alone" in note for note in listening.notes)
    assert results[0].record.compute.replicas_per_block == (width or 11)
    for each in GRID:
        told = listening.blocks[each.plan_hash()]
        assert {p.earlier for p in told} <= {*range(each.protocol.seeds)}
        assert told[-1].running == 0
    # The learning rate was each one's own.
    losses = [r.measured.trajectories.column("loss")[:40] for r in results[:2]]
    assert not np.array_equal(*losses)


def test_an_interrupted_grid_goes_on_to_the_same_bits(
    apart: list[sb.CellResult], tmp_path: Path
) -> None:
    class Interrupt(pl.Callback):
        def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            if trainer.current_epoch == 12:
                raise KeyboardInterrupt

    real = jobs.train_block

    def interrupted(cell, block, options, *rest):
        callbacks = (*options.callbacks, Interrupt())
        return real(cell, block, replace(options, callbacks=callbacks, checkpoint_seconds=0), *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jobs, "train_block", interrupted)
        with pytest.raises(KeyboardInterrupt):
            train(GRID, tmp_path, replicas_per_block=8)
    assert len(list(tmp_path.rglob("block-*.ckpt"))) == 1
    results = train(GRID, tmp_path, replicas_per_block=8)
    for one, other in zip(results, apart, strict=True):
        assert_same(one, other)
    assert not list(tmp_path.rglob("*.ckpt"))


def test_finished_cells_are_read_and_the_others_share_a_stack(
    apart: list[sb.CellResult], tmp_path: Path
) -> None:
    train(GRID[1:2], tmp_path)
    results = train(GRID, tmp_path)
    assert [r.reused for r in results] == [False, True, False, False]
    for one, other in zip(results, apart, strict=True):
        assert_same(one, other)


def test_a_cell_that_was_begun_otherwise_goes_on_alone_and_the_others_share_a_stack(
    apart: list[sb.CellResult], tmp_path: Path
) -> None:
    class Interrupt(pl.Callback):
        def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            if trainer.current_epoch == 5:
                raise KeyboardInterrupt

    options = sb.TrainerOptions("cpu", callbacks=(Interrupt(),), checkpoint_seconds=0)
    with pytest.raises(KeyboardInterrupt):
        train(GRID[1:2], tmp_path, replicas_per_block=2, trainer=options)
    listening = Listening()
    results = train(GRID, tmp_path, listener=listening)
    for one, other in zip(results, apart, strict=True):
        assert_same(one, other)
    assert [r.record.compute.replicas_per_block for r in results] == [8, 2, 8, 8]
    assert listening.started == [each.plan_hash() for each in GRID]
    assert [note.partition(" in ")[0] for note in listening.notes] == [
        "continuing the unfinished run",
        "3 cells that differ",
    ]


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (cell("mlp lr=0.1"), cell("mlp lr=0.2"), True),
        (cell("mlp clip=1"), cell("mlp clip=2"), True),
        (cell("mlp clip=1"), cell("mlp"), False),
        (cell("mlp width=16"), cell("mlp width=17"), False),
        (cell("mlp optimizer=adam"), cell("mlp optimizer=sgd"), False),
        (cell("mlp optimizer=adam beta2=0.99"), cell("mlp optimizer=adam eps=1e-6"), True),
        (cell("mlp"), cell("mlp", "sparse-parity n=8 k=3"), False),
        (cell("mlp"), cell("mlp", budget=6400), False),
        (cell("mlp"), cell("mlp", first_seed=9), True),
        (cell("mlp"), cell("mlp", initializations=3, seeds=6), False),
        (cell("mlp optimizer=muon lr=0.1"), cell("mlp optimizer=muon lr=0.2"), False),
    ],
)
def test_which_cells_share_a_stack(one: Cell, other: Cell, together: bool) -> None:
    assert (stacking_key(one) == stacking_key(other) is not None) is together


def test_a_probe_sees_the_field_of_its_own_task() -> None:
    noisy = [cell("mlp", f"sparse-parity n=8 k=2 noise={noise}") for noise in (0.1, 0.2)]
    assert stacking_key(noisy[0]) == stacking_key(noisy[1])
    probed = [replace(each, probes=(installed().probe("weight-movement"),)) for each in noisy]
    assert stacking_key(probed[0]) != stacking_key(probed[1])
    rates = [replace(probed[0], model=installed().model(f"mlp lr={lr}")) for lr in (0.1, 0.2)]
    assert stacking_key(rates[0]) == stacking_key(rates[1])


SHORT = [cell(f"mlp width=16 lr={lr}", budget=320) for lr in (0.05, 0.2)]
"""Two that share a stack where nothing forbids it."""


def test_a_watched_training_is_of_one_cell(tmp_path: Path) -> None:
    listening = Listening()
    options = sb.TrainerOptions("cpu", logger=True)
    train(SHORT, tmp_path, trainer=options, listener=listening)
    assert not any("in one stack" in note for note in listening.notes)
    assert len(list(tmp_path.rglob("metrics.csv"))) == 2


class Scaling(sb.Model):
    """Its width, and what it does with its output, follow from its learning rate."""

    name = "scaling"
    inputs = (sb.Signs,)
    outputs = (sb.Margin,)
    recipe: sb.Recipe = sb.Recipe()

    def build(self, interface: sb.Interface) -> torch.nn.Module:
        width = round(100 * self.recipe.lr)
        return torch.nn.Sequential(
            torch.nn.Linear(8, width), torch.nn.ReLU(), torch.nn.Linear(width, 1), Flat()
        )


class Flat(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.squeeze(-1)


def test_networks_that_know_their_numbers_share_neither_a_stack_nor_facts(tmp_path: Path) -> None:
    listening = Listening()
    cells = [replace(SHORT[0], model=Scaling(recipe=sb.Recipe(lr=lr))) for lr in (0.1, 0.2)]
    results = train(cells, tmp_path, listener=listening)
    assert not any("in one stack" in note for note in listening.notes)
    assert [result.record.compute.parameters for result in results] == [101, 201]
    assert results[0].record.compute.step_flops < results[1].record.compute.step_flops
