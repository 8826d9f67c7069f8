"""What the first page shows: one card for each board."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from synthbench.leaderboard.site.cell_charts import drawn_entries, learning_marks, make_frames
from synthbench.leaderboard.site.numbers import Shown, show_score
from synthbench.leaderboard.site.section import Section
from synthbench.leaderboard.site.svg import chart
from synthbench.leaderboard.standings.board import Board

PICTURED = 4
"""Entries in the picture of a board."""


@dataclass(frozen=True)
class Best:
    """The first of a ranking."""

    title: str
    href: str
    samples: Shown
    ties: int
    """Others that may be first as well."""


@dataclass(frozen=True)
class Card:
    """One board.

    picture: learning curves of its best few on its first cell; None without submissions.
    """

    board: Board
    href: str
    best: Best | None
    picture: Markup | None


@dataclass(frozen=True)
class IndexView:
    """The first page."""

    root: str
    cards: tuple[Card, ...]
    sections: tuple[Section, ...]


def index_view(boards: Sequence[Board], sections: Sequence[Section] = ()) -> IndexView:
    """The first page: boards with submissions in the given order, then those without any."""
    cards = sorted((_card(board) for board in boards), key=lambda card: card.best is None)
    return IndexView("", tuple(cards), tuple(sections))


def _card(board: Board) -> Card:
    name = board.suite.name
    best, picture = None, None
    if board.entries:
        picture = _picture(board)
        first = board.entries[0]
        best = Best(
            first.submission.title,
            f"{name}/{first.submission.name}/index.html",
            show_score(first, first.samples),
            sum(entry.rank.low == 1 for entry in board.entries[1:]),
        )
    return Card(board, f"{name}/index.html", best, picture)


def _picture(board: Board) -> Markup:
    frames, task = make_frames(board, 0), board.tasks[0]
    shown = reversed(drawn_entries(board)[:PICTURED])
    marks = [
        learning_marks(frames, d.entry.cells[0], d.css, d.entry.submission.title) for d in shown
    ]
    return chart(frames.learning, f"Learning curves of the best few on {task}", marks)
