"""Pages of two submissions side by side, and the table that leads to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

from synthbench.leaderboard.site.cell_charts import CellFrames, line_style, survival_marks
from synthbench.leaderboard.site.chart_data import SURVIVAL, csv_table, survival_rows
from synthbench.leaderboard.site.figure import Figure, Figures
from synthbench.leaderboard.site.numbers import (
    Shown,
    show_estimate,
    show_median,
    show_rank,
    show_ratio,
    show_score,
    show_solved,
    show_solved_cells,
)
from synthbench.leaderboard.site.svg import Picture
from synthbench.leaderboard.standings.board import Board
from synthbench.leaderboard.standings.bounds import marked
from synthbench.leaderboard.standings.entry import Entry
from synthbench.leaderboard.standings.pair_words import detectable_text, mean_words, notes
from synthbench.leaderboard.standings.pairing import Pair, PairedCell, Pairs, told_apart
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.formatting import format_p_value

PAIRED = 16
"""Entries of which every two have a page: the best, and the reference model."""
TURNED = {"<": ">", ">": "<"}


@dataclass(frozen=True)
class Side:
    """One of the two; css: the classes of its line."""

    title: str
    href: str
    css: str
    rank: Shown
    samples: Shown
    flops: Shown
    solved: Shown


@dataclass(frozen=True)
class PairRow:
    """One cell; solved, medians: of the first and of the second."""

    number: int
    task: str
    solved: tuple[Shown, Shown]
    medians: tuple[Shown, Shown]
    ratio: Shown
    first: Shown
    """Probability that the first solves it before the second."""
    p_value: str
    found: bool
    """Whether the test tells them apart."""
    detectable: str
    survival: Figure


@dataclass(frozen=True)
class PairView:
    """The page of two submissions."""

    root: str
    board: Board
    sides: tuple[Side, Side]
    words: str
    notes: tuple[str, ...]
    rows: tuple[PairRow, ...]
    command: str
    files: Mapping[str, str]


@dataclass(frozen=True)
class Crossing:
    """Where a row and a column of the table meet: the row's samples over the column's.

    href: none where both are the same. apart: whether they are told apart, all pairs of the table
    looked at together.
    """

    text: str
    href: str | None
    apart: bool


@dataclass(frozen=True)
class PairTable:
    """Every two of the best entries; rows: rank, title, page and crossings of each."""

    rows: tuple[tuple[Shown, str, str, tuple[Crossing, ...]], ...]
    left_out: int
    """Entries that are on the board and not in the table."""


class PairPages:
    """The pairs of a board that have pages."""

    def __init__(self, board: Board, frames: Sequence[CellFrames]) -> None:
        self._board, self._frames = board, frames
        self.entries = paired_entries(board)
        compared = Pairs(board)
        self._pairs = [compared.pair(one, two) for one, two in combinations(self.entries, 2)]

    def views(self) -> Iterator[tuple[str, PairView]]:
        """Each page with its folder."""
        for pair in self._pairs:
            yield pair_folder(pair.first, pair.second), self._view(pair)

    @cached_property
    def table(self) -> PairTable:
        """What leads to them."""
        meeting: dict[tuple[str, str], Crossing] = {}
        for pair, apart in zip(self._pairs, told_apart(self._pairs), strict=True):
            href = f"{pair_folder(pair.first, pair.second)}/index.html"
            one, two = pair.first.submission.name, pair.second.submission.name
            meeting[one, two] = Crossing(_mean(pair.samples, pair.bound), href, apart)
            turned = TURNED.get(pair.bound, pair.bound)
            meeting[two, one] = Crossing(_mean(_inverse(pair.samples), turned), href, apart)
        names = [entry.submission.name for entry in self.entries]
        same = Crossing("", None, False)
        rows = tuple(
            (
                show_rank(entry.rank),
                entry.submission.title,
                f"{name}/index.html",
                tuple(meeting.get((name, other), same) for other in names),
            )
            for name, entry in zip(names, self.entries, strict=True)
        )
        return PairTable(rows, len(self._board.entries) - len(names))

    def _view(self, pair: Pair) -> PairView:
        figures, board = Figures(), self._board
        names = [entry.submission.name for entry in (pair.first, pair.second)]
        return PairView(
            root="../../",
            board=board,
            sides=(_side(pair.first, 0), _side(pair.second, 1)),
            words=mean_words(pair),
            notes=tuple(notes(pair)),
            rows=tuple(self._row(pair, cell, figures) for cell in pair.cells),
            command=" ".join(["synthbench", "leaderboard", "show", board.suite.name, *names]),
            files=figures.files,
        )

    def _row(self, pair: Pair, cell: PairedCell, figures: Figures) -> PairRow:
        index, both = cell.first.number - 1, (cell.first, cell.second)
        frames, task = self._frames[index], self._board.tasks[index]
        words = [entry.submission for entry in (pair.first, pair.second)]
        marks = [
            survival_marks(frames, own, line_style(number), word.title)
            for number, (own, word) in enumerate(zip(both, words, strict=True))
        ]
        rows = [
            row
            for own, word in zip(both, words, strict=True)
            for row in survival_rows(word.name, own)
        ]
        return PairRow(
            number=cell.first.number,
            task=task,
            solved=(show_solved(cell.first), show_solved(cell.second)),
            medians=(show_median(cell.first), show_median(cell.second)),
            ratio=show_ratio(cell.comparison.ratio_of_medians),
            first=show_estimate(cell.comparison.superiority),
            p_value=format_p_value(cell.p_value),
            found=cell.p_value < 0.05,
            detectable=detectable_text(cell.detectable),
            survival=figures.add(
                f"cell-{cell.first.number}-unsolved",
                Picture(frames.survival, f"Replicas not yet solved on {task}", tuple(marks)),
                [(line_style(number), word.title) for number, word in enumerate(words)],
                csv_table(SURVIVAL, rows),
            ),
        )


def paired_entries(board: Board) -> tuple[Entry, ...]:
    """The best entries, with the reference model as the last of them if it is not among them."""
    chosen = list(board.entries[:PAIRED])
    chosen += [entry for entry in board.entries[PAIRED:] if entry.is_reference][:1]
    return tuple(chosen)


def pair_folder(first: Entry, second: Entry) -> str:
    """The folder of their page in that of the board; no submission's name has two hyphens."""
    return f"{first.submission.name}--{second.submission.name}"


def pair_links(board: Board, entry: Entry) -> tuple[tuple[str, str], ...]:
    """From an entry's page: titles of those that it has a page with, and where that is."""
    entries = paired_entries(board)
    if all(one is not entry for one in entries):
        return ()
    folders = [
        (other, (one, two))
        for one, two in combinations(entries, 2)
        for own, other in ((one, two), (two, one))
        if own is entry
    ]
    return tuple(
        (other.submission.title, f"../{pair_folder(*pair)}/index.html") for other, pair in folders
    )


def _side(entry: Entry, number: int) -> Side:
    return Side(
        title=entry.submission.title,
        href=f"../{entry.submission.name}/index.html",
        css=line_style(number),
        rank=show_rank(entry.rank),
        samples=show_score(entry, entry.samples),
        flops=show_score(entry, entry.flops),
        solved=show_solved_cells(entry),
    )


def _mean(samples: Estimate, bound: str) -> str:
    return marked(bound, show_ratio(samples).text)


def _inverse(ratio: Estimate) -> Estimate:
    """The ratio the other way round."""
    ends = (ratio.value, ratio.high, ratio.low)
    value, low, high = (None if end is None or end == 0 else 1 / end for end in ends)
    return Estimate(value=value, low=low, high=high)
