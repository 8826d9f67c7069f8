"""A board as Python and a notebook show it: the ranking, as `leaderboard show` begins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from markupsafe import Markup

from synthbench.metrics.formatting import format_estimate
from synthbench.results.html import NOTE, TITLE, table_html
from synthbench.results.summary_table import TableCell as Words

if TYPE_CHECKING:
    from synthbench.leaderboard.standings.entry import Entry
    from synthbench.leaderboard.standings.placing import Board
    from synthbench.metrics.estimate import Estimate

HEADINGS = ("rank", "submission", "track", "samples", "FLOPs", "cells solved")


def board_html(board: Board) -> str:
    """A table, best first."""
    suite = board.suite
    title = TITLE.format(f"{suite.name} version {suite.version}", suite.title)
    table = table_html(HEADINGS, [_row(entry) for entry in board.entries], texts=3)
    return str(Markup("").join([title, table, *(NOTE.format(line) for line in _notes(board))]))


def board_text(board: Board) -> str:
    """One line per submission, best first."""
    lines = [f"{board.suite.name} version {board.suite.version}: {board.suite.title}"]
    for entry in board.entries:
        rank, title, track, samples, flops, solved = _row(entry)
        lines.append(
            f"  {rank.value:>5}  {title.value} ({track.value}): "
            f"samples {' '.join(samples).rstrip()}, FLOPs {' '.join(flops).rstrip()}, "
            f"{solved.value} cells solved"
        )
    return "\n".join([*lines, *_notes(board)])


def _row(entry: Entry) -> list[Words]:
    low, high = entry.rank.low, entry.rank.high
    return [
        Words(f"{low}" if low == high else f"{low}-{high}"),
        Words(entry.submission.title),
        Words("tuned" if entry.submission.track == "tuned" else "fixed"),
        _ratio(entry, entry.samples),
        _ratio(entry, entry.flops),
        Words(f"{entry.solved_cells}/{len(entry.cells)}"),
    ]


def _ratio(entry: Entry, estimate: Estimate) -> Words:
    """A geometric mean with its interval, marked where it is only a bound."""
    value, interval = format_estimate(estimate)
    known = estimate.low is not None or estimate.high is not None
    return Words(f"{entry.bound} {value}".strip(), interval if known else "")


def _notes(board: Board) -> Iterator[str]:
    if board.entries:
        yield (
            f"samples, FLOPs: geometric mean over cells, relative to {board.relative_to}; ranks "
            "that overlap are ties"
        )
    else:
        yield "no submissions yet"
    if board.refused:
        yield f"{len(board.refused)} set aside: .refused says why"
