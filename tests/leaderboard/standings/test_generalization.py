"""What boards show beyond the ranked score, where replicas diverged and where they did not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from synthbench.leaderboard.site.numbers import show_longest
from synthbench.leaderboard.standings.generalization import delay, longest_of, train_gap
from synthbench.metrics.arrow_columns import arrow_column, nullable_column
from synthbench.metrics.trajectories import Trajectories
from synthbench.records.content import parquet_bytes
from synthbench.records.reading import TRAJECTORIES_FILE
from synthbench.results.measured_cell import MeasuredCell
from tests.results.synthetic import FAR, Setting, make_cell

LENGTHS = {"": 20, "length-80": 80}


def never_finite(cell: MeasuredCell, replicas: int) -> MeasuredCell:
    """The first replicas were not finite before their first step, and have no other row."""
    table, lost = cell.trajectories.table, cell.trajectories.column("replica") < replicas
    kept = ~lost | (cell.trajectories.column("step") == 0)
    for name in ("accuracy", FAR, "progress", "train_progress"):
        values = np.where(lost, np.nan, Trajectories(table).column(name))
        table = table.set_column(table.column_names.index(name), name, nullable_column(values))
    return rewritten(cell, Trajectories(table.take(arrow_column(np.flatnonzero(kept)))))


def memorizing(folder: Path, setting: Setting) -> MeasuredCell:
    """Progress on training data is 0.05 above that on others, of a replica r lower by r / 1000."""
    cell = make_cell(folder, setting)
    found = cell.trajectories
    gap = 0.05 - found.column("replica") / 1000
    train = nullable_column(found.column("progress") + gap)
    return rewritten(cell, Trajectories(found.table.append_column("train_progress", train)))


def rewritten(cell: MeasuredCell, trajectories: Trajectories) -> MeasuredCell:
    (cell.folder / TRAJECTORIES_FILE).write_bytes(parquet_bytes(trajectories.table))
    return MeasuredCell(cell.record, cell.folder)


def test_a_gap_is_that_of_the_replicas_that_have_one(tmp_path: Path) -> None:
    cell = memorizing(tmp_path / "a", Setting())
    found = train_gap(cell)
    assert found is not None and found.value == pytest.approx(0.05 - 3.5 / 1000)
    some = train_gap(never_finite(cell, 4))
    assert some is not None and some.value == pytest.approx(0.05 - 5.5 / 1000)
    assert train_gap(never_finite(memorizing(tmp_path / "b", Setting()), 5)) is None


def test_there_is_neither_where_samples_are_fresh(tmp_path: Path) -> None:
    cell = make_cell(tmp_path / "a")
    assert train_gap(cell) is None and delay(cell) is None


@pytest.mark.parametrize("score", [None, FAR])
def test_the_longest_length_whatever_is_ranked(score: str | None, tmp_path: Path) -> None:
    cell = memorizing(tmp_path / "a", Setting(far=1.0, until="budget", score=score))
    found = longest_of(cell, LENGTHS)
    assert found is not None and found.length.value is None
    assert show_longest(found).text == ">= 80"
    # What never was finite solves nothing.
    most = longest_of(never_finite(cell, 5), LENGTHS)
    assert most is not None and most.length.value == 0
    assert show_longest(most).text == "0"


def test_without_other_lengths_there_is_no_longest(tmp_path: Path) -> None:
    cell = make_cell(tmp_path / "a")
    assert longest_of(cell, {}) is None and longest_of(cell, {"": 20, "length-80": 20}) is None


def test_one_evaluation_that_meets_the_target_is_none_that_holds(tmp_path: Path) -> None:
    cell = make_cell(tmp_path / "a", Setting(far=1.0, target_score=0.0))
    first = cell.trajectories.column("step") == 0
    alone = Trajectories(cell.trajectories.table.take(arrow_column(np.flatnonzero(first))))
    found = longest_of(rewritten(cell, alone), LENGTHS)
    assert found is not None and found.length.value == 0
