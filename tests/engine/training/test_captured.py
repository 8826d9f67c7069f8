"""Runs of steps and scores from buffers that stay give the bits of steps and scores one by one.

What is captured is kept as it stands here: CUDA graphs themselves are tried in `tests/cuda`.
`pytest -m slow` adds dropout in a transformer, and a finite training set of other cells.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import synthbench as sb
from synthbench.engine.axis.way import Draws, Execution, Way
from synthbench.engine.training import captured_steps, replica_training
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import BlockResult, TrainerOptions, train_block
from synthbench.engine.training.captured_steps import LENGTHS, runs_of
from synthbench.engine.training.cuda_graphs import GraphCapture, Work, graph_capture, places
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed
from tests.engine.training.test_narrowing import Dropping
from tests.evaluation.notes import Notes

PARITY = "sparse-parity n=8 k=2"
CELLS = {
    "fresh": (PARITY, "mlp width=16 momentum=0.9 clip=1 schedule=cosine lr=0.1"),
    "dropout": (PARITY, Dropping()),
    "transformer": (PARITY, "transformer positions=absolute layers=1 mlp=2 dropout=0.1"),
    "chains": ("markov symbols=2 length=8 last=4", "transformer layers=1 lr=0.01"),
}


@pytest.mark.parametrize(
    ("steps", "window", "lengths"),
    [
        (range(1), 64, [1]),
        (range(64), 64, [16, 16, 16, 16]),
        (range(3, 30), 64, [16, 4, 4, 1, 1, 1]),
        (range(60, 70), 64, [4, 4, 1, 1]),
        (range(10, 20), 12, [1, 1, 4, 4]),
        (range(5), 3, [1, 1, 1, 1, 1]),
        (range(7, 7), 64, []),
    ],
)
def test_steps_are_cut_into_runs_that_stay_within_their_window(
    steps: range, window: int, lengths: list[int]
) -> None:
    runs = list(runs_of(steps, window))
    assert [len(run) for run in runs] == lengths
    assert [step for run in runs for step in run] == list(steps)
    assert all(run[0] // window == run[-1] // window for run in runs)


class Kept(GraphCapture):
    """Instead of graphs: the work itself, counted."""

    def __init__(self) -> None:
        super().__init__()
        self.works: list[Work] = []
        self.runs = 0

    def __call__(self, work: Work) -> Work:
        def run() -> None:
            self.runs += 1
            work()

        self.works.append(work)
        self.captured += 1
        return run


def capture_all(monkeypatch: pytest.MonkeyPatch) -> list[Kept]:
    """What captures from now on: one for each width of a stack."""
    made: list[Kept] = []

    def kept(device: torch.device, way: Way) -> Kept:
        made.append(Kept())
        return made[-1]

    monkeypatch.setattr(replica_training, "graph_capture", kept)
    return made


STEPS = 85
"""With runs of every length in the first window of batches and in the second."""


def cell_of(name: str, steps: int = STEPS, **protocol: object) -> Cell:
    task, model = installed().task(CELLS[name][0]), CELLS[name][1]
    model = installed().model(model) if isinstance(model, str) else model
    batch = model.recipe.batch_size
    assert isinstance(batch, int)
    chosen = {"seeds": 3, "evaluation_samples": 128, "hold": 1, **protocol}
    return Cell(task, model, sb.Protocol(budget=steps * batch, **chosen))


def train(cell: Cell, path: Path) -> BlockResult:
    path.mkdir()
    block = Block(0, tuple(cell.replica_seeds()), len(cell.replica_seeds()))
    execution = Execution(Way.TRACED, Draws(intercepted=True))
    return train_block(cell, block, TrainerOptions("cpu"), execution, path / "checkpoint")


def same(one: BlockResult, other: BlockResult) -> bool:
    equal = all(torch.equal(one.weights[n], other.weights[n]) for n in one.weights)
    return equal and one.table.equals(other.table)


@pytest.mark.parametrize(
    ("name", "train_samples"),
    [
        *(("fresh", None), ("fresh", 96), ("dropout", None), ("chains", None)),
        *(
            pytest.param(*each, marks=pytest.mark.slow)
            for each in (("transformer", None), ("transformer", 96), ("chains", 96))
        ),
    ],
)
def test_captured_runs_give_the_bits_of_single_steps(
    name: str,
    train_samples: int | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cell = cell_of(name, until="budget", resolution=0.5, train_samples=train_samples)
    alone = train(cell, tmp_path / "alone")
    made = capture_all(monkeypatch)
    assert same(train(cell, tmp_path / "captured"), alone)
    (capture,) = made
    assert len(capture.works) == len(LENGTHS) + 1, "each length and the test set once"
    assert capture.runs > 10


def test_a_narrower_stack_is_captured_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = cell_of("fresh", steps=400, seeds=9, evaluation_samples=128, resolution=0.3)
    alone = train(cell, tmp_path / "alone")
    captures = capture_all(monkeypatch)
    captured = train(cell, tmp_path / "captured")
    assert len(captures) > 1, "it was narrowed"
    assert all(capture.runs for capture in captures[:-1])
    assert same(captured, alone)


def test_teachers_outputs_are_in_the_buffers(
    small_cell: Cell, out: Path, settings, monkeypatch
) -> None:
    protocol = small_cell.protocol.model_copy(
        update={"budget": 1_280, "seeds": 3, "resolution": 0.5}
    )
    source = replace(small_cell, protocol=protocol)
    taught = replace(source, teacher=sb.Teacher(source, temperature=2.0, hard=0.25))
    alone = sb.evaluate_cells([taught], out / "alone", settings)[0]
    captures = capture_all(monkeypatch)
    captured = sb.evaluate_cells([taught], out / "captured", settings)[0]
    assert alone.record.compute.cuda_graphs is None
    assert captured.record.compute.cuda_graphs is True
    assert captures[-1].runs > 5
    tables = [each.measured.trajectories.table for each in (alone, captured)]
    assert tables[0].equals(tables[1])


def test_wrong_offsets_would_be_seen(tmp_path: Path, monkeypatch) -> None:
    cell = cell_of("fresh", until="budget", resolution=0.5)
    alone = train(cell, tmp_path / "one")
    capture_all(monkeypatch)
    at: Callable[..., object] = captured_steps.batch_at
    monkeypatch.setattr(captured_steps, "batch_at", lambda batches, index: at(batches, 0))
    assert not same(train(cell, tmp_path / "other"), alone)


def test_only_recorded_stacks_on_a_gpu_are_captured() -> None:
    assert graph_capture(torch.device("cpu"), Way.TRACED) is None
    assert graph_capture(torch.device("cuda"), Way.STACKED) is None
    assert graph_capture(torch.device("cuda"), Way.PLAIN) is None
    assert graph_capture(torch.device("cuda"), Way.TRACED) is not None


@pytest.mark.skipif(torch.cuda.is_available(), reason="here it can be captured")
def test_what_cannot_be_captured_runs_as_it_is_and_the_reason_is_kept(monkeypatch) -> None:
    for name in ("synchronize", "current_stream", "set_stream"):
        monkeypatch.setattr(torch.cuda, name, lambda *_: None)
    capture, done = GraphCapture(), []
    for _ in range(2):
        capture(lambda: done.append(1))()
    assert len(done) == 2 and capture.captured == 0
    assert capture.failure


def test_tensors_that_move_or_change_their_size_are_elsewhere() -> None:
    x = torch.zeros(4)
    assert places({"a": x}) == places((x,))
    assert places(x) != places(x.clone())
    assert places(x) != places(x[:2])


class Refusing(GraphCapture):
    """On a machine where nothing can be captured."""

    def __call__(self, work: Work) -> Work:
        self.failure = "operation not permitted when stream is capturing"
        return work


def test_a_failed_capture_is_noted_and_recorded(
    small_cell, out: Path, settings, monkeypatch
) -> None:
    monkeypatch.setattr(replica_training, "graph_capture", lambda *_: Refusing())
    listener = Notes()
    noted = replace(settings, listener=listener)
    short = small_cell.protocol.model_copy(update={"budget": 320})
    record = sb.evaluate_cells([replace(small_cell, protocol=short)], out, noted)[0].record
    assert record.compute.cuda_graphs is False
    (note,) = [note for note in listener.messages if "CUDA graphs" in note]
    assert "not permitted when stream is capturing" in note
