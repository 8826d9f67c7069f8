"""From boards to a site."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from synthbench.leaderboard.site.board_view import board_view
from synthbench.leaderboard.site.cell_charts import make_frames
from synthbench.leaderboard.site.index_view import index_view
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
        site.add(INDEX, render("index.html.j2", index_view(boards, sections)))
    return out / INDEX


def _add_board(site: Site, board: Board, progress: Progress) -> None:
    suite, pages = board.suite.name, 1 + len(board.entries)
    frames = [make_frames(board, i) for i in range(len(board.tasks))] if board.entries else []
    site.add(f"{suite}/{INDEX}", render("board.html.j2", board_view(board, frames)))
    views = SubmissionPages(board, frames)
    for done, entry in enumerate(board.entries, start=1):
        progress(suite, done, pages)
        page = render("submission.html.j2", views.view(entry))
        site.add(f"{suite}/{entry.submission.name}/{INDEX}", page)
    progress(suite, pages, pages)
