"""What a board's page says of its entries beside their ranks: fresh seeds, and marks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from synthbench.leaderboard.site.numbers import Shown, show_estimate, show_score
from synthbench.leaderboard.site.overview_charts import page_of
from synthbench.leaderboard.standings.board import Board
from synthbench.leaderboard.standings.bounds import marked
from synthbench.metrics.formatting import format_p_value


@dataclass(frozen=True)
class FreshRow:
    """One entry on fresh seeds: its samples on ranked and on fresh ones, and their ratio."""

    title: str
    href: str
    samples: Shown
    fresh: Shown
    ratio: Shown
    p_value: str
    holds: bool
    seeds: int
    beacon: str


@dataclass(frozen=True)
class MarkRow:
    """One thing to know of an entry; empty title and href: of the whole board."""

    title: str
    href: str
    text: str


def fresh_rows(board: Board) -> tuple[FreshRow, ...]:
    """The entries that a verifier has tried on fresh seeds, best first."""
    return tuple(
        FreshRow(
            title=entry.submission.title,
            href=page_of(entry),
            samples=show_score(entry, entry.samples),
            fresh=_bounded(entry.fresh_bound, show_estimate(entry.fresh.samples)),
            ratio=show_estimate(entry.fresh.ratio),
            p_value=format_p_value(entry.fresh.p_value),
            holds=entry.fresh.holds,
            seeds=entry.fresh.result.seeds,
            beacon=entry.fresh.result.beacon,
        )
        for entry in board.entries
        if entry.fresh is not None
    )


def _bounded(bound: str, shown: Shown) -> Shown:
    return replace(shown, text=marked(bound, shown.text))


def mark_rows(board: Board) -> tuple[MarkRow, ...]:
    """What the board and its entries are marked with, best first."""
    own = (MarkRow("", "", board.base_note),) if board.base_note else ()
    return own + tuple(
        MarkRow(entry.submission.title, page_of(entry), mark.text)
        for entry in board.entries
        for mark in entry.marks
    )
