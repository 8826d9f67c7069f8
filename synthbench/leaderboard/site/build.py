"""From boards to a site."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from synthbench.leaderboard.site.board_view import board_view
from synthbench.leaderboard.site.cell_charts import make_frames
from synthbench.leaderboard.site.index_view import index_view
from synthbench.leaderboard.site.pair_view import PairPages
from synthbench.leaderboard.site.section import Section
from synthbench.leaderboard.site.shell import render
from synthbench.leaderboard.site.submission_view import SubmissionPages
from synthbench.leaderboard.site.writing import Site, new_site
from synthbench.leaderboard.standings.board import Board

Progress = Callable[[str, int, int], None]
"""Called with a suite's name, its pages so far, and all of its pages."""
INDEX = "index.html"


def build_site(
    boards: Sequence[Board],
    out: Path,
    progress: Progress = lambda suite, done, pages: None,
    sections: Sequence[Section] = (),
) -> Path:
    """Write a site of some boards into `out`; returns its first page.

    The same boards make the same site, byte for byte. An earlier site in `out` is replaced
    when the new one is complete; OutputError where `out` holds anything else.
    """
    with new_site(out) as site:
        for board in boards:
            _add_board(site, board, progress)
        for section in sections:
            for path, page in section.pages.items():
                site.add(f"{section.folder}/{path}", page)
        first = index_view(boards, sections)
        site.add(INDEX, render("index.html.j2", first))
        _add_files(site, "", first.files)
    return out / INDEX


def _add_files(site: Site, folder: str, files: Mapping[str, str]) -> None:
    for path, content in files.items():
        site.add(f"{folder}{path}", content)


def _add_board(site: Site, board: Board, progress: Progress) -> None:
    suite, pages = board.suite.name, 1 + len(board.entries)
    frames = [make_frames(board, i) for i in range(len(board.tasks))] if board.entries else []
    pairs = PairPages(board, frames) if len(board.entries) > 1 else None
    whole = board_view(board, frames, pairs.table if pairs else None)
    site.add(f"{suite}/{INDEX}", render("board.html.j2", whole))
    _add_files(site, f"{suite}/", whole.files)
    views = SubmissionPages(board, frames)
    for done, entry in enumerate(board.entries, start=1):
        progress(suite, done, pages)
        view, folder = views.view(entry), f"{suite}/{entry.submission.name}/"
        site.add(f"{folder}{INDEX}", render("submission.html.j2", view))
        _add_files(site, folder, view.files)
    for name, pair in pairs.views() if pairs else ():
        site.add(f"{suite}/{name}/{INDEX}", render("pair.html.j2", pair))
        _add_files(site, f"{suite}/{name}/", pair.files)
    progress(suite, pages, pages)
