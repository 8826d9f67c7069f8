"""A picture that cannot be drawn costs no result."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib
import pytest

import synthbench as sb
from synthbench.errors import ConfigurationError, OutputError
from synthbench.plan.cell import Cell
from synthbench.results.figures import PICTURE_FILE
from synthbench.results.figures.rendering import save_figure
from synthbench.results.html import results_html
from tests.evaluation.notes import Notes

pytestmark = pytest.mark.usefixtures("drawn")
NO_LATEX = "Failed to process string with tex because latex could not be found"


@pytest.fixture
def no_latex(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """`text.usetex` where there is no program to set the text, also where there is one."""
    monkeypatch.setenv("PATH", "")
    with matplotlib.rc_context({"text.usetex": True}):
        yield


@pytest.mark.usefixtures("no_latex")
def test_a_setting_of_matplotlib_costs_one_line_in_each_folder(
    small_cell: Cell, out: Path, settings: sb.Settings
) -> None:
    notes = Notes()
    cells = [
        replace(small_cell, protocol=sb.Protocol(budget=budget, seeds=2, evaluation_samples=128))
        for budget in (64, 96)
    ]
    results = sb.evaluate_cells(cells, out, replace(settings, listener=notes))
    folders = [*(result.folder for result in results), out]
    assert notes.messages == [
        f"no picture in {folder}, results are kept: "
        f"ConfigurationError: matplotlib cannot draw: {NO_LATEX}"
        for folder in folders
    ]
    assert all((result.folder / "record.json").exists() for result in results)
    assert not list(out.rglob("*.png"))
    again = sb.evaluate_cells(cells, out, replace(settings, listener=notes))
    assert all(result.reused for result in again)


def test_the_picture_is_drawn_by_the_next_run(
    small_cell: Cell, out: Path, settings: sb.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OutputError("cannot write: no space left on device")

    notes, quick = Notes(), replace(small_cell, protocol=sb.Protocol(budget=64, seeds=2))
    with monkeypatch.context() as patch:
        patch.setattr("synthbench.evaluation.picture.save_default_picture", full)
        (result,) = sb.evaluate_cells([quick], out, replace(settings, listener=notes))
    assert len(notes.messages) == 1 and "no space left" in notes.messages[0]
    (again,) = sb.evaluate_cells([quick], out, replace(settings, listener=notes))
    assert again.reused and len(notes.messages) == 1
    assert (result.folder / PICTURE_FILE).exists()


@pytest.mark.usefixtures("no_latex")
def test_a_notebook_shows_the_table_alone(small_result: sb.CellResult) -> None:
    html = results_html([small_result.measured])
    assert f"no picture: matplotlib cannot draw: {NO_LATEX}" in html and "<table" in html


@pytest.mark.usefixtures("no_latex")
def test_a_picture_that_was_asked_for_is_refused_in_one_line(
    small_result: sb.CellResult, tmp_path: Path
) -> None:
    with pytest.raises(ConfigurationError, match=f"^matplotlib cannot draw: {NO_LATEX}$"):
        save_figure(small_result.plot(), [tmp_path / "picture.png"])
    assert not list(tmp_path.iterdir())


def test_a_small_recursion_limit_is_one_line(small_result: sb.CellResult, tmp_path: Path) -> None:
    figure, limit = small_result.plot(), sys.getrecursionlimit()
    save_figure(figure, [tmp_path / "whole.png"])  # What it imports goes deeper.

    def draw_near_the_limit() -> None:
        try:
            sys.setrecursionlimit(len(inspect.stack(0)) + 20)
            save_figure(figure, [tmp_path / "refused.png"])
        finally:
            sys.setrecursionlimit(limit)

    with pytest.raises(ConfigurationError, match="matplotlib cannot draw: maximum recursion"):
        draw_near_the_limit()
    assert [path.name for path in tmp_path.iterdir()] == ["whole.png"]
