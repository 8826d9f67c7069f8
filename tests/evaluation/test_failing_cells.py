"""A cell that fails is named, and keeps no other from being trained."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import synthbench as sb
from synthbench.errors import DiskError, ModelError, RecordError, cannot_write
from synthbench.evaluation.failures import SourceFailedError
from synthbench.plan.cell import Cell
from synthbench.plan.sources import Weights
from tests.evaluation.failing import failing_where
from tests.evaluation.notes import Notes
from tests.evaluation.test_shared_stacks import cell
from tests.launchers.unreliable import Late

FIRST, BAD, LAST = (
    cell(f"mlp width={width}", budget=96, seeds=2, evaluation_samples=128, resolution=0.5)
    for width in (6, 8, 10)
)
GRID = [FIRST, BAD, LAST]
SETTINGS = sb.Settings(sb.TrainerOptions("cpu"), pictures=False, workers=0)
HERE, THERE = {"workers": 0}, {"workers": None, "launcher": Late()}


def train(cells: Sequence[Cell], out: Path, **changes: object) -> sb.Results:
    return sb.evaluate_cells(cells, out, replace(SETTINGS, **changes))


def failing(cells: Sequence[Cell], out: Path, **changes: object) -> sb.CellsFailedError:
    with pytest.raises(sb.CellsFailedError) as caught:
        train(cells, out, **changes)
    return caught.value


def failing_in(bad: Cell, error: Callable[[], Exception]):
    """Blocks with a replica of this cell raise."""
    return failing_where(lambda each: each.plan_hash() == bad.plan_hash(), error)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> sb.Results:
    return train(GRID, tmp_path_factory.mktemp("whole"))


def assert_same(found: Sequence[sb.CellResult], expected: Sequence[sb.CellResult]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert one.measured.trajectories.table.equals(other.measured.trajectories.table)


@pytest.mark.parametrize("where", [HERE, THERE], ids=["here", "workers"])
def test_the_others_are_trained_and_the_same_command_trains_the_rest(
    where: dict[str, object], whole: sb.Results, tmp_path: Path
) -> None:
    notes = Notes()
    with failing_in(BAD, lambda: ModelError("it cannot be trained; make it wider")):
        error = failing(GRID, tmp_path, listener=notes, **where)
    assert str(error).splitlines() == [
        "1 of 3 cells failed, the others are finished:",
        '  "mlp width=8" on "sparse-parity n=8 k=2": it cannot be trained; make it wider',
        "mend that and run the same command again: what is finished is kept",
    ]
    assert any('"mlp width=8" on' in note and "make it wider" in note for note in notes.messages)
    assert [each.cell for each in error.failed] == [BAD]
    assert isinstance(error.__cause__, ModelError)
    assert_same(error.results, [whole[0], whole[2]])
    again = train(GRID, tmp_path, **where)
    assert [result.reused for result in again] == [True, False, True]
    assert_same(again, whole)


def test_a_single_cell_raises_its_own_error(tmp_path: Path) -> None:
    notes = Notes()
    with failing_in(BAD, lambda: KeyError("x")), pytest.raises(KeyError):
        train([BAD], tmp_path, listener=notes)
    assert not any("failed" in note for note in notes.messages)


ALIKE = [
    cell(f"mlp width=6 lr={lr}", budget=96, seeds=3, evaluation_samples=128, resolution=0.5)
    for lr in (0.1, 0.05, 0.02)
]
"""They share a stack."""


@pytest.fixture(scope="module")
def good_ones(tmp_path_factory: pytest.TempPathFactory) -> sb.Results:
    return train(ALIKE[1:], tmp_path_factory.mktemp("good"), replicas_per_block=2)


@pytest.mark.parametrize("where", [HERE, THERE], ids=["here", "workers"])
def test_of_a_stack_only_the_cell_at_fault_fails(
    where: dict[str, object], good_ones: sb.Results, tmp_path: Path
) -> None:
    bad, *good = ALIKE
    with failing_in(bad, lambda: ModelError("no")):
        error = failing(ALIKE, tmp_path / "found", replicas_per_block=2, **where)
    assert [each.cell for each in error.failed] == [bad]
    assert_same(error.results, good_ones)
    assert not list((tmp_path / "found").glob(f"{good[0].folder_name()}/.partial"))


def test_memory_that_is_too_small_for_one(whole: sb.Results, tmp_path: Path) -> None:
    with failing_in(BAD, lambda: torch.OutOfMemoryError("CUDA out of memory")):
        error = failing(GRID, tmp_path)
    assert '"mlp width=8" do not fit into memory; take a smaller model' in str(error)
    assert_same(error.results, [whole[0], whole[2]])


class Fails(nn.Module):
    """A network of an author that fails after some calls, which no check can know."""

    def __init__(self) -> None:
        super().__init__()
        self.layer, self.calls = nn.Linear(8, 1), 0

    def forward(self, x: Tensor) -> Tensor:
        global calls
        calls += 1
        if calls > allowed:
            raise ValueError("the author's mistake")
        return self.layer(x).squeeze(-1)


calls, allowed = 0, 10**9


def test_an_error_in_an_authors_network_is_one_line(whole: sb.Results, tmp_path: Path) -> None:
    global calls, allowed
    own = replace(BAD, model=sb.as_model(Fails))
    train([own], tmp_path / "alone", resume=False)
    # Somewhere in the training.
    calls, allowed = 0, calls - 2
    error = failing([FIRST, own, LAST], tmp_path / "three")
    (failed,) = error.failed
    assert isinstance(failed.error, ValueError)
    line = str(error).splitlines()[1]
    assert line.endswith("ValueError: the author's mistake (alone it shows where)")
    assert_same(error.results, [whole[0], whole[2]])


def test_a_damaged_folder_costs_one_cell(whole: sb.Results, tmp_path: Path) -> None:
    first = train(GRID[:2], tmp_path)
    (first[1].folder / "record.json").write_text("{")
    error = failing(GRID, tmp_path)
    (failed,) = error.failed
    assert failed.cell == BAD and isinstance(failed.error, RecordError)
    assert str(first[1].folder) in str(error)
    assert [result.reused for result in error.results] == [True, False]
    assert_same(error.results, [whole[0], whole[2]])


def test_what_stands_on_it_is_named_too(tmp_path: Path) -> None:
    student, other = (replace(each, start=Weights(each)) for each in (BAD, LAST))
    with failing_in(BAD, lambda: ModelError("no")):
        error = failing([student, other], tmp_path)
    (failed,) = error.failed
    assert failed.cell == student and isinstance(failed.error, SourceFailedError)
    assert 'it stands on "mlp width=8", which failed: no' in str(error)
    assert [result.cell for result in error.results] == [other]


def test_two_that_differ_in_their_protocol_are_told_apart(tmp_path: Path) -> None:
    longer = cell("mlp width=8", budget=192, seeds=2, evaluation_samples=128, resolution=0.5)
    with (
        failing_in(BAD, lambda: ModelError("no")),
        failing_in(longer, lambda: ModelError("no")),
    ):
        error = failing([BAD, longer], tmp_path)
    lines = str(error).splitlines()
    assert lines[0] == "2 of 2 cells failed, none is finished:"
    assert len(set(lines[1:3])) == 2 and "budget" in lines[1]


def test_a_full_disk_ends_all_of_it(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with failing_in(FIRST, lambda: cannot_write("x", full)), pytest.raises(DiskError):
        train(GRID, tmp_path)
    assert not list(tmp_path.glob("*/record.json"))


def test_what_can_be_refused_before_training_is(tmp_path: Path) -> None:
    wide = replace(BAD, model=sb.as_model(lambda: nn.Linear(3, 1)))
    with pytest.raises(sb.SynthbenchError):
        train([FIRST, wide], tmp_path / "runs")
    assert not (tmp_path / "runs").exists()
