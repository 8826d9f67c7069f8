"""What the first page shows: one card for each board."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthbench.leaderboard.site.cell_charts import drawn_entries, learning_marks, make_frames
from synthbench.leaderboard.site.chart_data import LEARNING, csv_table, learning_rows
from synthbench.leaderboard.site.figure import Figure, Figures
from synthbench.leaderboard.site.numbers import Shown, show_score
from synthbench.leaderboard.site.section import Section
from synthbench.leaderboard.site.svg import Picture
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
    picture: Figure | None


@dataclass(frozen=True)
class IndexView:
    """The first page."""

    root: str
    cards: tuple[Card, ...]
    sections: tuple[Section, ...]
    files: Mapping[str, str]
    """Charts and their data, by path from the page."""


def index_view(boards: Sequence[Board], sections: Sequence[Section] = ()) -> IndexView:
    """The first page: boards with submissions in the given order, then those without any."""
    figures = Figures()
    cards = sorted((_card(board, figures) for board in boards), key=lambda card: card.best is None)
    return IndexView("", tuple(cards), tuple(sections), figures.files)


def _card(board: Board, figures: Figures) -> Card:
    name = board.suite.name
    best, picture = None, None
    if board.entries:
        picture = _picture(board, figures)
        first = board.entries[0]
        best = Best(
            first.submission.title,
            f"{name}/{first.submission.name}/index.html",
            show_score(first, first.samples),
            sum(entry.rank.low == 1 for entry in board.entries[1:]),
        )
    return Card(board, f"{name}/index.html", best, picture)


def _picture(board: Board, figures: Figures) -> Figure:
    frames, shown = make_frames(board, 0), drawn_entries(board)[:PICTURED]
    marks = [
        learning_marks(frames, d.entry.cells[0], d.css, d.entry.submission.title)
        for d in reversed(shown)
    ]
    title = f"Learning curves of the best few on {board.tasks[0]}"
    return figures.add(
        board.suite.name,
        Picture(frames.learning, title, tuple(marks)),
        [(item.css, item.entry.submission.title) for item in shown],
        csv_table(
            LEARNING,
            [
                row
                for item in shown
                for row in learning_rows(item.entry.submission.name, item.entry.cells[0])
            ],
        ),
    )
