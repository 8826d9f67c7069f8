"""Blocks of several cells that other processes train, in whatever order, and some of them twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

import synthbench as sb
from synthbench.errors import ConfigurationError, LaunchError, ModelError
from synthbench.evaluation.jobs import Measuring, Training
from synthbench.plan.cell import Cell
from tests.evaluation.test_shared_stacks import Listening, assert_same, cell
from tests.launchers.unreliable import Late

# Two that share a stack, one of another width, and one that cannot be stacked with it.
GRID = [
    cell("mlp width=16 lr=0.05"),
    cell("mlp width=16 lr=0.2"),
    cell("mlp width=12 optimizer=adam lr=0.01", seeds=5),
]
SETTINGS = sb.Settings(sb.TrainerOptions("cpu"), keep_weights=True, replicas_per_block=2)


def train(cells: Sequence[Cell], out: Path, **changes: object) -> sb.Results:
    return sb.evaluate_cells(cells, out, replace(SETTINGS, **changes))


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> sb.Results:
    return train(GRID, tmp_path_factory.mktemp("here"), workers=0)


@pytest.fixture(scope="module")
def brief(small_cell: Cell) -> Cell:
    """The small cell, of twenty steps."""
    return replace(small_cell, protocol=small_cell.protocol.model_copy(update={"budget": 640}))


@pytest.fixture(scope="module")
def brief_result(
    brief: Cell, settings: sb.Settings, tmp_path_factory: pytest.TempPathFactory
) -> sb.CellResult:
    return sb.evaluate_cells([brief], tmp_path_factory.mktemp("brief"), settings)[0]


def assert_all_same(results: sb.Results, expected: sb.Results) -> None:
    for one, other in zip(results, expected, strict=True):
        assert_same(one, other)


def test_blocks_in_any_order_have_the_bits_of_this_process(
    here: sb.Results, tmp_path: Path
) -> None:
    launcher, listening = Late(), Listening()
    results = train(GRID, tmp_path, launcher=launcher, listener=listening)
    assert_all_same(results, here)
    blocks = [job for job in launcher.given if isinstance(job, Training)]
    assert Counter(len(job.block.members()) for job in blocks) == {2: 5, 1: 1}
    assert sum(isinstance(job, Measuring) for job in launcher.given) == 2, "one for each stack"
    assert max(launcher.together) == 2, "blocks of all cells are under way"
    for each in GRID:
        told = listening.blocks[each.plan_hash()]
        assert sum({p.earlier: p.replicas for p in told}.values()) == each.protocol.seeds
    assert not list(tmp_path.rglob(".partial*")) and not list(tmp_path.rglob("*.ckpt"))


def test_a_lost_job_is_given_again_and_goes_on_from_its_checkpoint(
    here: sb.Results, tmp_path: Path
) -> None:
    class Die(pl.Callback):
        def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            if trainer.current_epoch == 12:
                raise sb.WorkerLost("it was killed")

    lost: list[Training] = []

    def accident(job: object) -> Exception | None:
        if not isinstance(job, Training) or len(lost) == 2:
            return None
        lost.append(job)
        options = replace(job.options, callbacks=(Die(),), checkpoint_seconds=0)
        with pytest.raises(sb.WorkerLost):
            replace(job, options=options)(lambda _: None)
        return sb.WorkerLost("it was killed")

    listening = Listening()
    results = train(GRID, tmp_path, launcher=Late(accident=accident), listener=listening)
    assert_all_same(results, here)
    assert len(lost) == 2
    assert [note for note in listening.notes if "it was killed" in note] == [
        "it was killed; its work begins again, from a checkpoint if there is one"
    ] * 2
    for job in lost:
        told = [p.steps for p in listening.blocks[job.block.shares[0].cell.plan_hash()]
                if p.earlier == job.block.shares[0].numbers[0]]  # fmt: skip
        assert min(told) > 0, "not from the first step"


def test_a_job_that_is_lost_again_and_again_is_made_smaller_and_then_given_up(
    brief: Cell, settings: sb.Settings, brief_result: sb.CellResult, tmp_path: Path
) -> None:
    def accident(job: object) -> Exception | None:
        wide = isinstance(job, Training) and job.block.whole.width > widest
        return sb.WorkerLost("a worker was killed (SIGKILL)") if wide else None

    widest, listening = 3, Listening()
    again = replace(settings, launcher=Late(accident=accident), listener=listening)
    result = sb.evaluate_cells([brief], tmp_path / "small", again)[0]
    assert result.measured.trajectories.table.equals(brief_result.measured.trajectories.table)
    assert listening.notes[-1] == (
        "a worker was killed (SIGKILL), 3 times in a row: continuing with 3 replicas at once"
    )
    widest = 0
    with pytest.raises(LaunchError, match=r"SIGKILL\), 3 times in a row.*same command continues"):
        sb.evaluate_cells([brief], tmp_path / "none", again)


def test_memory_that_ends_in_a_worker_halves_the_block(
    brief: Cell, settings: sb.Settings, brief_result: sb.CellResult, tmp_path: Path
) -> None:
    def accident(job: object) -> Exception | None:
        wide = isinstance(job, Training) and job.block.whole.width > 2
        return MemoryError("out of memory") if wide else None

    listening = Listening()
    tight = replace(settings, launcher=Late(accident=accident), listener=listening)
    result = sb.evaluate_cells([brief], tmp_path, tight)[0]
    assert result.measured.trajectories.table.equals(brief_result.measured.trajectories.table)
    assert listening.notes == [
        "out of memory: continuing with 3 replicas at once",
        "out of memory: continuing with 2 replicas at once",
    ]


def test_an_error_in_a_worker_ends_the_evaluation(
    brief: Cell, settings: sb.Settings, tmp_path: Path
) -> None:
    failing = Late(accident=lambda job: ModelError("it cannot be trained"))
    with pytest.raises(ModelError, match="it cannot be trained"):
        sb.evaluate_cells([brief], tmp_path, replace(settings, launcher=failing))
    sb.evaluate_cells([brief], tmp_path, settings)


def test_what_lightning_logs_comes_back(brief: Cell, settings: sb.Settings, tmp_path: Path) -> None:
    logs = []
    for name, changes in (("here", {"workers": 0}), ("there", {"launcher": Late()})):
        options = sb.TrainerOptions("cpu", logger=True)
        own = replace(settings, trainer=options, replicas_per_block=3, **changes)
        sb.evaluate_cells([brief], tmp_path / name, own)
        (log,) = (tmp_path / name).rglob("metrics.csv")
        logs.append(log.read_text())
    assert logs[0] == logs[1] and len(logs[0].splitlines()) > 10


def test_what_cannot_leave_this_process_is_refused(
    small_cell: Cell, settings: sb.Settings, tmp_path: Path
) -> None:
    watched = replace(settings.trainer, callbacks=(pl.Callback(),))
    with pytest.raises(ConfigurationError, match=r"callbacks are called in this one; .* workers=0"):
        sb.evaluate_cells([small_cell], tmp_path, replace(settings, trainer=watched, workers=2))
    with pytest.raises(ConfigurationError, match="not both"):
        sb.evaluate_cells([small_cell], tmp_path, replace(settings, launcher="local", workers=2))
    torch.use_deterministic_algorithms(True)
    try:
        with pytest.raises(ConfigurationError, match="torch's deterministic_algorithms was"):
            sb.evaluate_cells([small_cell], tmp_path, replace(settings, workers=2))
    finally:
        torch.use_deterministic_algorithms(False)
    assert not list(tmp_path.iterdir())


def test_a_model_that_cannot_be_sent_is_named(
    small_cell: Cell, settings: sb.Settings, tmp_path: Path
) -> None:
    lock = threading.Lock()

    def build() -> torch.nn.Module:
        assert not lock.locked()
        return torch.nn.Sequential(torch.nn.Linear(10, 1), torch.nn.Flatten(0))

    held = replace(small_cell, model=sb.as_model(build))
    with pytest.raises(LaunchError, match=r'"build code=.*" cannot be sent .*; take workers=0'):
        sb.evaluate_cells([held], tmp_path, replace(settings, launcher=Late()))
