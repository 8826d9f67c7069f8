"""A cell that cannot be read is named, and keeps no other from being read."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pytest

import synthbench as sb
from synthbench.errors import RecordError
from synthbench.records.content import record_bytes
from synthbench.results.lying import Unreadable, UnreadableCellWarning, read_cells
from tests.results.planned import Planned, planned_cells


@pytest.fixture
def runs(tmp_path: Path) -> list[Path]:
    """Folders of three cells."""
    cells = planned_cells(
        tmp_path / "runs", *(Planned(f"mlp width={width}", recipe={"lr": width / 100})
                             for width in (8, 16, 32))
    )  # fmt: skip
    for cell in cells:
        (cell.folder / "record.json").write_bytes(record_bytes(cell.record))
    return [cell.folder for cell in cells]


def cut(folder: Path) -> None:
    (folder / "record.json").write_text('{"schema_version": 2')


def edit(folder: Path) -> None:
    path = folder / "record.json"
    path.write_text(path.read_text().replace('"seed": 0', '"seed": 7', 1))


def flip(folder: Path) -> None:
    path = folder / "trajectories.parquet"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def lose(folder: Path) -> None:
    (folder / "trajectories.parquet").unlink()


def dangle(folder: Path) -> None:
    (folder / "record.json").unlink()
    (folder / "record.json").symlink_to(folder / "nowhere")


@pytest.mark.parametrize("damage", [cut, flip, lose, dangle])
def test_the_others_are_read_and_a_warning_names_it(damage, runs: list[Path]) -> None:
    damage(runs[1])
    with pytest.warns(UnreadableCellWarning) as caught:
        found = sb.read_results(runs[0].parent)
    assert [cell.folder for cell in found] == [runs[0], runs[2]]
    (warning,) = caught
    assert str(warning.message).startswith(f"left out: {runs[1]}: ")
    assert warning.filename == __file__


def test_where_nothing_can_be_read_it_is_an_error(runs: list[Path]) -> None:
    for folder in runs:
        cut(folder)
    with pytest.raises(RecordError, match="not valid JSON; move it away"):
        sb.read_results(runs[0].parent)
    with pytest.raises(RecordError, match="not valid JSON"):
        sb.read_results(runs[1])


def test_what_must_be_whole_refuses_the_first(runs: list[Path]) -> None:
    cut(runs[1])
    with pytest.raises(RecordError, match="not valid JSON"):
        read_cells(runs[0].parent)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(read_cells(runs[0])) == 1


def test_a_folder_that_may_not_be_listed_is_named(
    runs: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs the tests may be allowed everything, so the system is played."""
    real = os.scandir

    def refusing(path="."):  # type: ignore[no-untyped-def]
        if Path(path) == runs[1]:
            raise PermissionError(13, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", refusing)
    left_out: list[Unreadable] = []
    assert len(read_cells(runs[0].parent, left_out.append)) == 2
    assert [each.folder for each in left_out] == [runs[1]]
    assert "Permission denied; make it readable, or move it away" in str(left_out[0])
    with pytest.raises(RecordError, match="Permission denied"):
        read_cells(runs[1], left_out.append)


def test_what_a_killed_merge_has_put_together_is_no_result(runs: list[Path]) -> None:
    runs[1].rename(runs[1].with_name(".stagingabc.0a1b2c-7.partial"))
    assert [cell.folder for cell in read_cells(runs[0].parent)] == [runs[0], runs[2]]
