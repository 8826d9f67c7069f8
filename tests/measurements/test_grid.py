"""Measurements are made once, grow, and are made again where their code is another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf, isnan

import pytest

import synthbench as sb
from synthbench.errors import ConfigurationError, RecordError, UnknownNameError
from synthbench.measurements.rows import check_rows
from synthbench.measurements.store import folder_of, read_measured
from synthbench.papers import measuring as module
from synthbench.papers.measuring import MeasuredGrid, measure_grid
from tests.measurements.conftest import ASKED, Powers


class Noting(sb.Silent):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


def test_rows_are_kept_as_they_were_measured(grid: MeasuredGrid) -> None:
    results = measure_grid(replace(grid, seeds=8), sb.Silent())
    stored = read_measured(folder_of(grid.folder, grid.configurations[0]))
    assert stored is not None and stored.record == results.parts[0].record
    assert stored.record.label == "powers size=2" and stored.record.seeds == tuple(range(8))
    assert [row["cost"] for row in stored.rows[:3]] == [4.0, 8.0, 12.0]
    assert stored.rows[7]["cost"] == inf and isnan(stored.rows[0]["odd"])
    (plugin,) = stored.record.environment.plugins
    assert (plugin.plugin, plugin.distribution) == ("mine", "third-party")


def test_what_is_kept_is_not_measured_again_and_seeds_are_added(grid: MeasuredGrid) -> None:
    told = Noting()
    measure_grid(replace(grid, seeds=2), told)
    grown = measure_grid(grid, told)
    measure_grid(grid, told)
    assert ASKED == [(size, [0, 1]) for size in (2, 4, 8)] + [(s, [2, 3, 4]) for s in (2, 4, 8)]
    assert [len(part.rows) for part in grown] == [5, 5, 5]
    assert told.notes[0].startswith("[1/3] powers size=2: 2 seeds in ")
    assert told.notes[-1] == "[3/3] powers size=8: already measured"
    files = sorted(path.name for path in folder_of(grid.folder, grid.configurations[0]).iterdir())
    assert len(files) == 2 and files[0] == "measurement.json"
    assert "0 of 15 rows to measure, 15 finished" in grid.forecast()


def test_what_other_code_measured_is_measured_anew(
    grid: MeasuredGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure_grid(grid, sb.Silent())
    monkeypatch.setattr(module, "_code", lambda config: "a" * 64)
    assert grid.kept() == [None, None, None]
    measure_grid(grid, sb.Silent())
    assert len(ASKED) == 6 and all(grid.kept())
    measure_grid(grid, sb.Silent(), resume=False)
    assert len(ASKED) == 9


def test_a_damaged_folder_is_refused(grid: MeasuredGrid) -> None:
    measure_grid(grid, sb.Silent())
    folder = folder_of(grid.folder, grid.configurations[1])
    (table,) = folder.glob("rows-*.parquet")
    table.write_bytes(table.read_bytes() + b"0")
    with pytest.raises(RecordError, match="does not match its hash"):
        grid.kept()
    table.unlink()
    with pytest.raises(RecordError, match="names rows that are not there"):
        grid.kept()
    path = folder / "measurement.json"
    path.write_text(path.read_text().replace('"seconds": ', '"seconds": 1'))
    with pytest.raises(RecordError, match=r"measurement.json was changed after it was written"):
        grid.kept()
    path.write_text("{")
    with pytest.raises(RecordError, match="not valid JSON"):
        grid.kept()


def test_configurations_and_their_summary(grid: MeasuredGrid) -> None:
    assert grid.summary() == "3 measurements x 5 seeds; varied: size"
    twice = replace(grid, references=["powers size=[2,4]", "powers size=4"])
    assert [each.label() for each in twice.configurations] == ["powers size=2", "powers size=4"]
    with pytest.raises(UnknownNameError, match='unknown measurement "power"; did you mean "pow'):
        _ = replace(grid, references=["power"]).configurations
    with pytest.raises(ConfigurationError, match='"powers" has no field "sise"'):
        _ = replace(grid, references=["powers sise=2"]).configurations


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([{"a": 1.0}], "one row for each of 2 seeds"),
        ([{"a": 1.0}, 3], "rows of named numbers"),
        ([{"size": 1.0}, {}], "measures 'size', which is the name of another column"),
        ([{"seed": 1.0}, {}], "measures 'seed'"),
        ([{"samples_to_target": 1.0}, {}], "measures 'samples_to_target'"),
        ([{"a": "1"}, {}], "measures a = '1', not a number"),
    ],
)
def test_rows_that_are_none(rows: object, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        check_rows("powers", 2, rows, ["size"])


def test_a_configuration_that_fails_keeps_no_other_from_being_measured(
    grid: MeasuredGrid, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Powers.measure

    def fails_at_four(self: Powers, seeds: Sequence[int]) -> Sequence[Mapping[str, float]]:
        if self.size == 4:
            raise ValueError("the author's mistake")
        return whole(self, seeds)

    told = Noting()
    with monkeypatch.context() as patch:
        patch.setattr(Powers, "measure", fails_at_four)
        with pytest.raises(sb.MeasurementsFailedError) as no:
            measure_grid(grid, told)
        with pytest.raises(ValueError, match="the author's mistake"):
            measure_grid(replace(grid, references=["powers size=4"]), sb.Silent())
    assert str(no.value).splitlines()[:2] == [
        "1 of 3 measurements failed, the others are finished:",
        '  "powers size=4": ValueError: the author\'s mistake (alone it shows where)',
    ]
    assert [part.record.label for part in no.value.results] == ["powers size=2", "powers size=8"]
    assert told.notes[1].startswith("[2/3] powers size=4: failed: ValueError: the author's mistake")
    told = Noting()
    measure_grid(grid, told)
    assert [note.endswith("already measured") for note in told.notes] == [True, False, True]
