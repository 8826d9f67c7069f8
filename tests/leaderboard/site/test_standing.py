"""Marks and fresh seeds on a board's page, with texts of strangers in them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from synthbench.leaderboard.site.build import build_site
from synthbench.leaderboard.standings.board import Board
from synthbench.leaderboard.standings.fresh import FreshStanding
from synthbench.leaderboard.submissions.fresh import FreshCell, FreshResult
from synthbench.leaderboard.submissions.marks import Mark
from synthbench.metrics.estimate import Estimate
from tests.leaderboard.site.boards import TITLE, honest_board


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    return honest_board(tmp_path_factory.mktemp("boards"))


def on_fresh_seeds(board: Board, beacon: str, *, holds: bool) -> FreshStanding:
    environment = board.entries[0].cells[0].environment
    cell = FreshCell(
        samples_to_target=(32,) * 6,
        data=("0" * 64,) * 6,
        environment=environment,
        wall_seconds=1.0,
    )
    result = FreshResult.model_construct(beacon=beacon, seeds=6, cells=(cell,))
    ratio = Estimate(value=2.5, low=2.0, high=3.0)
    return FreshStanding(result, (), Estimate(value=1.25, low=1.0, high=1.5), ratio, 0.0012, holds)


def page(board: Board, out: Path) -> str:
    build_site([board], out)
    return (out / board.suite.name / "index.html").read_text()


def test_marks_and_fresh_seeds_are_shown(board: Board, tmp_path: Path) -> None:
    first, *others = board.entries
    fresh = on_fresh_seeds(board, f"2026-01-31 {TITLE}", holds=False)
    marked = replace(first, fresh=fresh, marks=(Mark("copy", f"it is {TITLE}"),))
    text = page(replace(board, entries=(marked, *others), base_note="no base"), tmp_path / "site")
    for shown in ("Marked", "On fresh seeds", "does not hold", "1.25", "2.5", "no base"):
        assert shown in text, shown
    assert TITLE not in text and text.count("&lt;script&gt;alert(1)") >= 2


def test_without_either_the_page_has_no_section_for_it(board: Board, tmp_path: Path) -> None:
    text = page(board, tmp_path / "site")
    assert "On fresh seeds" not in text and 'id="marks"' not in text
