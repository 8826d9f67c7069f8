"""Trajectories with several test sets and curves: read without trust, held against the record."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from synthbench.errors import SubmissionError
from synthbench.leaderboard.submissions.files import MOST_PLACES, read_trajectories
from synthbench.leaderboard.submissions.trajectory_checks import (
    _check_columns,
    _check_progress,
    _check_summary,
    _check_values,
)
from synthbench.metrics.arrow_columns import nullable_column
from synthbench.metrics.ranked_by import progress_of
from synthbench.metrics.trajectories import Trajectories
from synthbench.records.content import parquet_bytes
from synthbench.records.schema import Record
from synthbench.results.measured_cell import MeasuredCell
from tests.results.synthetic import FAR, Setting, make_cell

EXPECTED: Any = SimpleNamespace(training_columns=("train_loss",))


@pytest.fixture(params=["optimal", "oracle"])
def cell(request: pytest.FixtureRequest, tmp_path: Path) -> MeasuredCell:
    return make_cell(tmp_path / "a", Setting(ceiling=request.param))


def check(trajectories: Trajectories, record: Record) -> None:
    _check_columns(trajectories, record, EXPECTED)
    _check_values(trajectories, record)
    _check_progress(trajectories, record)
    _check_summary(trajectories, record)


def with_column(cell: MeasuredCell, name: str, change: Any) -> Trajectories:
    table = cell.trajectories.table
    changed = nullable_column(change(cell.trajectories.column(name)))
    return Trajectories(table.set_column(table.column_names.index(name), name, changed))


@pytest.mark.parametrize("score", [None, FAR])
def test_honest_ones_hold(score: str | None, tmp_path: Path) -> None:
    cell = make_cell(tmp_path / "b", Setting(score=score, far=1.2))
    check(read_trajectories(cell.folder / "trajectories.parquet", 10_000), cell.record)


@pytest.mark.parametrize("name", ["progress", "progress@length-80"])
def test_progress_of_every_set_is_recomputed(cell: MeasuredCell, name: str) -> None:
    with pytest.raises(SubmissionError, match=f"the {name} of replica 0 does not follow"):
        _check_progress(with_column(cell, name, lambda v: v + 0.01), cell.record)


@pytest.mark.parametrize("score", [None, FAR])
def test_progress_on_training_data_is_recomputed(score: str | None, tmp_path: Path) -> None:
    """On the scale of the first test set, whichever is ranked."""
    cell = make_cell(tmp_path / "b", Setting(score=score))
    train, scale = cell.trajectories.by_replica("accuracy"), cell.record.scale("accuracy")
    progress = [progress_of(own, *ends) for own, ends in zip(train, scale, strict=True)]
    table = cell.trajectories.table.append_column(
        "train_accuracy", cell.trajectories.table["accuracy"]
    )
    for added, fine in ((0.0, True), (0.01, False)):
        column = nullable_column(np.concatenate(progress) + added)
        claimed = Trajectories(table.append_column("train_progress", column))
        if fine:
            _check_progress(claimed, cell.record)
            continue
        with pytest.raises(SubmissionError, match="the train_progress of replica 0 does not"):
            _check_progress(claimed, cell.record)


def test_a_column_may_neither_lack_nor_be_added(cell: MeasuredCell) -> None:
    table = cell.trajectories.table
    for other in (
        table.drop_columns(["loss@length-80"]),
        table.append_column("accuracy@length-9", table[FAR]),
        table.select([*table.column_names[:4], *reversed(table.column_names[4:])]),
    ):
        with pytest.raises(SubmissionError, match="trajectories must have the columns"):
            _check_columns(Trajectories(other), cell.record, EXPECTED)


def test_a_curve_stays_one(cell: MeasuredCell) -> None:
    with pytest.raises(SubmissionError, match="excess is a curve there or in the record alone"):
        _check_columns(with_column(cell, "excess", lambda v: v[:, 0]), cell.record, EXPECTED)
    with pytest.raises(SubmissionError, match="larger than a float holds"):
        _check_values(with_column(cell, "excess", lambda v: v + 1e40), cell.record)


def read(table: pa.Table, folder: Path) -> Trajectories:
    path = folder / "trajectories.parquet"
    path.write_bytes(parquet_bytes(table))
    return read_trajectories(path, 1000)


def test_lists_of_one_length_are_read_and_others_refused(tmp_path: Path) -> None:
    curve = nullable_column(np.array([[1.0, np.nan], [3.0, 4.0]]))
    steps = pa.array([0, 1])
    assert read(pa.table({"step": steps, "excess": curve}), tmp_path).curves == ["excess"]
    ragged = pa.array([[1.0], [2.0, 3.0, 4.0]])
    for wrong in (ragged, curve.cast(pa.list_(pa.float32(), 2))):
        with pytest.raises(SubmissionError, match=r"must be .*double|not one value a row"):
            read(pa.table({"step": steps, "excess": wrong}), tmp_path)
    with pytest.raises(SubmissionError, match="must be int64"):
        read(pa.table({"step": curve}), tmp_path)


def test_a_row_holds_so_many_numbers(tmp_path: Path) -> None:
    wide = nullable_column(np.zeros((4, MOST_PLACES + 1)))
    with pytest.raises(SubmissionError, match="more than 1,024 numbers in a row"):
        read(pa.table({"excess": wide}), tmp_path)
