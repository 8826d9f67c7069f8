"""A board: all that is known of one suite's submissions, as Python and a notebook show it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress
from pathlib import Path

from markupsafe import Markup

from synthbench.leaderboard.standings.bounds import marked
from synthbench.leaderboard.standings.entry import Entry
from synthbench.leaderboard.standings.reference_rows import ReferenceRow
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.formatting import format_estimate
from synthbench.plan.suite import Suite
from synthbench.results.html import NOTE, TITLE, table_html
from synthbench.results.table.text_table import TableCell

FRESH = "fresh seeds"
HEADINGS = ("rank", "submission", "track", "samples", FRESH, "FLOPs", "cells solved")


@dataclass(frozen=True)
class Refused:
    """A submission that is not on the board, and why."""

    folder: Path
    reason: str


@dataclass(frozen=True, repr=False)
class Board:
    """All that is known of one suite's submissions, best first.

    relative_to: what ratios are over: the name of the reference model, or "the budget" where its
    entry is not there. base_note: why it is not, where that needs saying.
    """

    suite: Suite
    tasks: tuple[str, ...]
    entries: tuple[Entry, ...]
    refused: tuple[Refused, ...]
    reference_rows: tuple[ReferenceRow, ...]
    relative_to: str
    base_note: str = ""

    def __repr__(self) -> str:
        """One line per submission, best first."""
        return _text(self)

    def _repr_html_(self) -> str:
        return _html(self)

    def ceiling_notes(self) -> list[str]:
        """`cell 2: progress is relative to the oracle`, for cells without a known optimum."""
        return [f"cell {row.number}: {row.note()}" for row in self.reference_rows if row.note()]

    def caveats(self) -> list[str]:
        """What ratios are not over, and `NAME: ...` for each mark of an entry, best first."""
        marks = [f"{e.submission.name}: {mark.text}" for e in self.entries for mark in e.marks]
        return [*([self.base_note] if self.base_note else []), *marks]

    def entry(self, name: str) -> Entry:
        """The entry of that name; LookupError if there is none."""
        for entry in self.entries:
            if entry.submission.name == name:
                return entry
        raise LookupError(name)


def _html(board: Board) -> str:
    """A table, best first."""
    suite = board.suite
    title = TITLE.format(f"{suite.name} version {suite.version}", suite.title)
    table = table_html(*ranking_table(board), texts=3)
    return str(Markup("").join([title, table, *(NOTE.format(line) for line in _notes(board))]))


def _text(board: Board) -> str:
    """The ranking, as `leaderboard show` begins."""
    lines = [f"{board.suite.name} version {board.suite.version}: {board.suite.title}"]
    for entry in board.entries:
        rank, title, track, samples, fresh, flops, solved = ranking_row(entry)
        beside = f" (fresh seeds {' '.join(fresh).rstrip()})" if entry.fresh else ""
        lines.append(
            f"  {rank.value:>5}  {title.value} ({track.value}): "
            f"samples {' '.join(samples).rstrip()}{beside}, FLOPs {' '.join(flops).rstrip()}, "
            f"{solved.value} cells solved"
        )
    return "\n".join([*lines, *_notes(board)])


def ranking_table(board: Board) -> tuple[tuple[str, ...], list[list[TableCell]]]:
    """Headings and a row for each entry; of fresh seeds only where an entry was trained on them."""
    tried = any(entry.fresh is not None for entry in board.entries)
    shown = [tried or heading != FRESH for heading in HEADINGS]
    rows = [list(compress(ranking_row(entry), shown)) for entry in board.entries]
    return tuple(compress(HEADINGS, shown)), rows


def ranking_row(entry: Entry) -> list[TableCell]:
    """One entry under `HEADINGS`."""
    return [
        TableCell(entry.rank.text()),
        TableCell(entry.submission.title),
        TableCell("tuned" if entry.submission.track == "tuned" else "fixed"),
        _ratio(entry, entry.samples),
        _fresh(entry),
        _ratio(entry, entry.flops),
        TableCell(f"{entry.solved_cells}/{len(entry.cells)}"),
    ]


def _ratio(entry: Entry, estimate: Estimate) -> TableCell:
    """A geometric mean with its interval, marked where it is only a bound."""
    value, interval = format_estimate(estimate)
    known = estimate.low is not None or estimate.high is not None
    return TableCell(marked(entry.bound, value), interval if known else "")


def _fresh(entry: Entry) -> TableCell:
    """What the samples are on fresh seeds, marked where that does not hold; a dash unless tried."""
    if entry.fresh is None:
        return TableCell("-")
    value, interval = format_estimate(entry.fresh.samples)
    known = entry.fresh.samples.low is not None
    text = marked(entry.fresh_bound, value)
    return TableCell(text if entry.fresh.holds else f"{text} !", interval if known else "")


def _notes(board: Board) -> Iterator[str]:
    if board.entries:
        yield (
            f"samples, FLOPs: geometric mean over cells, relative to {board.relative_to}; ranks "
            "that overlap are ties"
        )
    else:
        yield "no submissions yet"
    yield from board.ceiling_notes()
    yield from (f"marked: {line}" for line in board.caveats())
    if board.refused:
        yield f"{len(board.refused)} set aside: .refused says why"
