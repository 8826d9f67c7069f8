"""The cell that a record says was trained, built again with the classes that are installed."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthbench.errors import SubmissionError, UnknownNameError
from synthbench.leaderboard.submissions.expected import rebuild_cell
from synthbench.records.schema import Record
from tests.leaderboard.submissions.attacks import SUITE, expected, read

FOREIGN = {"name": "foreign", "version": 3, "temperature": 0.5}


def with_model(record: Record, **changes: object) -> Record:
    model = {**record.plan["model"], **changes}
    return record.model_copy(update={"plan": {**record.plan, "model": model}})


def test_the_cell_is_the_one_that_was_planned(attacked: Path) -> None:
    for measured, wanted in zip(read(attacked).cells, expected(SUITE), strict=True):
        cell = rebuild_cell(measured.record, wanted)
        assert cell.plan_hash() == measured.record.plan_hash
        assert cell.plan() == measured.record.plan


def test_a_model_that_would_be_planned_differently_is_refused(attacked: Path) -> None:
    record, wanted = read(attacked).cells[0].record, expected(SUITE)[0]
    with pytest.raises(SubmissionError, match="'16', its class makes that 16"):
        rebuild_cell(with_model(record, width="16"), wanted)
    with pytest.raises(SubmissionError, match="the model cannot be rebuilt"):
        rebuild_cell(with_model(record, width=-1), wanted)


def test_what_is_not_installed_is_named(attacked: Path) -> None:
    record, wanted = read(attacked).cells[0].record, expected(SUITE)[0]
    with pytest.raises(UnknownNameError, match='unknown model "foreign"'):
        rebuild_cell(with_model(record, name="foreign"), wanted)
    recipe = {**record.plan["model"]["recipe"], "optimizer": FOREIGN}
    with pytest.raises(UnknownNameError, match='unknown optimizer "foreign"'):
        rebuild_cell(with_model(record, recipe=recipe), wanted)
