"""What the page of a board shows, in its order."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthbench.leaderboard.site.cell_charts import (
    CellFrames,
    Drawn,
    drawn_entries,
    learning_marks,
    reference_entry,
    survival_marks,
)
from synthbench.leaderboard.site.chart_data import (
    LEARNING,
    MEANS,
    PROFILE,
    SURVIVAL,
    csv_table,
    learning_rows,
    mean_rows,
    profile_rows,
    survival_rows,
)
from synthbench.leaderboard.site.figure import Figure, Figures
from synthbench.leaderboard.site.lesson import lesson
from synthbench.leaderboard.site.numbers import (
    Shown,
    show_column,
    show_count,
    show_estimate,
    show_median,
    show_rank,
    show_ratio,
    show_score,
    show_sizes,
    show_solved,
    show_solved_cells,
)
from synthbench.leaderboard.site.overview_charts import page_of, pareto_chart, profile_chart
from synthbench.leaderboard.site.pair_view import PairTable
from synthbench.leaderboard.site.standing_view import (
    FreshRow,
    MarkRow,
    fresh_rows,
    mark_rows,
)
from synthbench.leaderboard.site.svg import Picture
from synthbench.leaderboard.standings.board import Board
from synthbench.leaderboard.standings.entry import Entry
from synthbench.metrics.formatting import format_count
from synthbench.plan.suite import Suite

COLUMNS = {
    "plateau": "share of the samples to completion that pass before the transition begins",
    "width": "decades of samples from the beginning of the transition to its completion",
    "stages": "number of transitions",
    "lead": "decades of samples by which the suite's probe moves before the score",
    "longest": "longest tested length that is solved, and all shorter ones: median over replicas",
    "gap": "progress on the training set less that on held-out samples, at the end",
    "delay": "samples to generalize as a multiple of those to memorize the training set",
}
OPEN_ROWS = 40
"""With more rows than this, over all cells, the cells' tables are folded."""
TALL_ROWS = 40
"""With more rows than this, a table scrolls by itself and its headings stay."""


@dataclass(frozen=True)
class Row:
    """One entry in the ranking.

    cells: its ratio to the reference model on each cell; without one, its median samples.
    """

    name: str
    title: str
    authors: str
    model: str
    track: str
    href: str
    is_reference: bool
    on_front: bool
    rank: Shown
    samples: Shown
    flops: Shown
    solved: Shown
    cells: tuple[Shown, ...]


@dataclass(frozen=True)
class Legend:
    """A line of the charts."""

    css: str
    title: str
    href: str
    is_reference: bool


@dataclass(frozen=True)
class CellRow:
    """One entry on one cell; columns: the suite's."""

    title: str
    href: str
    solved: Shown
    median: Shown
    ratio: Shown
    columns: tuple[Shown, ...]
    final: Shown
    sizes: tuple[Shown, ...]
    """Parameters, state size, FLOPs per sample."""


@dataclass(frozen=True)
class CellView:
    """One cell: its charts and its table."""

    number: int
    task: str
    budget: str
    score: str
    ceiling: str
    """What progress is relative to, where that is not the optimum; else empty."""
    learning: Figure
    survival: Figure
    rows: tuple[CellRow, ...]


@dataclass(frozen=True)
class ReferenceRowView:
    """What needs no training, on one cell."""

    number: int
    task: str
    budget: str
    scores: tuple[tuple[str, str], ...]
    algorithms: tuple[tuple[str, str, str, str], ...]
    """Name, samples, operations, source."""


@dataclass(frozen=True)
class BoardView:
    """The page of a board; columns: name and meaning of the suite's."""

    root: str
    board: Board
    rows: tuple[Row, ...]
    columns: tuple[tuple[str, str], ...]
    legend: tuple[Legend, ...]
    pareto: Figure | None
    profile: Figure | None
    cells: tuple[CellView, ...]
    reference_rows: tuple[ReferenceRowView, ...]
    refused: tuple[tuple[str, str], ...]
    fresh: tuple[FreshRow, ...]
    marks: tuple[MarkRow, ...]
    has_reference: bool
    tall: bool
    folded: bool
    submit: tuple[str, ...]
    """How to submit, with a model that can take the suite."""
    lesson: str
    """What is learnt from the board, in two sentences; empty without submissions to compare."""
    pairs: PairTable | None
    files: Mapping[str, str]
    """Charts and their data, by path from the page."""


def board_view(
    board: Board, frames: Sequence[CellFrames], pairs: PairTable | None = None
) -> BoardView:
    """Everything on the page; frames: one for each cell, none where there are no entries."""
    drawn, has_reference = drawn_entries(board), reference_entry(board) is not None
    figures = Figures()
    pareto, profile = _overview(board, drawn, figures) if drawn else (None, None)
    legend = tuple(
        Legend(d.css, d.entry.submission.title, page_of(d.entry), d.entry.is_reference)
        for d in drawn
    )
    return BoardView(
        root="../",
        board=board,
        rows=tuple(_row(entry, has_reference) for entry in board.entries),
        columns=tuple((column, COLUMNS[column]) for column in board.suite.columns),
        legend=legend,
        pareto=pareto,
        profile=profile,
        cells=tuple(_cell(board, i, frame, drawn, figures) for i, frame in enumerate(frames)),
        reference_rows=_reference_rows(board),
        refused=tuple((ascii(r.folder.name)[1:-1], r.reason) for r in board.refused),
        fresh=fresh_rows(board),
        marks=mark_rows(board),
        has_reference=has_reference,
        tall=len(board.entries) > TALL_ROWS,
        folded=len(board.entries) * len(board.tasks) > OPEN_ROWS,
        submit=_submitting(board.suite),
        lesson=lesson(board),
        pairs=pairs,
        files=figures.files,
    )


def _overview(board: Board, drawn: Sequence[Drawn], figures: Figures) -> tuple[Figure, Figure]:
    """Samples against FLOPs, and the performance profile."""
    legend, shown = _legend(drawn), [item.entry for item in drawn]
    means = csv_table(MEANS, mean_rows(board.entries))
    profile = csv_table(PROFILE, profile_rows(shown))
    return (
        figures.add("samples-flops", pareto_chart(board, drawn), legend, means),
        figures.add("profile", profile_chart(board, drawn), legend, profile),
    )


def _legend(drawn: Sequence[Drawn]) -> list[tuple[str, str]]:
    return [(item.css, item.entry.submission.title) for item in drawn]


def _submitting(suite: Suite) -> tuple[str, ...]:
    """The commands; the reference model takes whatever the suite's tasks give and ask."""
    submit = ["synthbench", "leaderboard", "submit", f"runs/{suite.name}", "--author", "Your Name"]
    return (
        shlex.join(["synthbench", "eval", suite.name, "--model", suite.reference]),
        shlex.join(submit),
        shlex.join(["synthbench", "leaderboard", "show", suite.name]),
    )


def _row(entry: Entry, has_reference: bool) -> Row:
    submission = entry.submission
    return Row(
        name=submission.name,
        title=submission.title,
        authors=", ".join(submission.authors),
        model=entry.model,
        track=submission.track,
        href=page_of(entry),
        is_reference=entry.is_reference,
        on_front=entry.on_front,
        rank=show_rank(entry.rank),
        samples=show_score(entry, entry.samples),
        flops=show_score(entry, entry.flops),
        solved=show_solved_cells(entry),
        cells=tuple(
            show_ratio(cell.ratio) if has_reference else show_median(cell) for cell in entry.cells
        ),
    )


def _cell(
    board: Board, index: int, frames: CellFrames, drawn: Sequence[Drawn], figures: Figures
) -> CellView:
    suite, task, legend = board.suite, board.tasks[index], _legend(drawn)
    learning, survival = [], []
    for item in reversed(drawn):
        cell, title = item.entry.cells[index], item.entry.submission.title
        learning.append(learning_marks(frames, cell, item.css, title))
        survival.append(survival_marks(frames, cell, item.css, title))
    score = board.entries[0].cells[index].summary.score
    named = [(item.entry.submission.name, item.entry.cells[index]) for item in drawn]
    return CellView(
        number=index + 1,
        task=task,
        budget=format_count(suite.cells[index].budget),
        score=score,
        ceiling=board.reference_rows[index].note(),
        learning=figures.add(
            f"cell-{index + 1}-learning",
            Picture(frames.learning, f"Learning curves on {task}: {score}", tuple(learning)),
            legend,
            csv_table(LEARNING, [row for own in named for row in learning_rows(*own)]),
        ),
        survival=figures.add(
            f"cell-{index + 1}-unsolved",
            Picture(frames.survival, f"Replicas not yet solved on {task}", tuple(survival)),
            legend,
            csv_table(SURVIVAL, [row for own in named for row in survival_rows(*own)]),
        ),
        rows=tuple(_cell_row(board, entry, index) for entry in board.entries),
    )


def _cell_row(board: Board, entry: Entry, index: int) -> CellRow:
    cell = entry.cells[index]
    return CellRow(
        title=entry.submission.title,
        href=page_of(entry),
        solved=show_solved(cell),
        median=show_median(cell),
        ratio=show_ratio(cell.ratio),
        columns=tuple(show_column(cell, column) for column in board.suite.columns),
        final=show_estimate(cell.summary.final_score),
        sizes=show_sizes(cell),
    )


def _reference_rows(board: Board) -> tuple[ReferenceRowView, ...]:
    return tuple(
        ReferenceRowView(
            number=row.number,
            task=row.task,
            budget=format_count(cell.budget),
            scores=tuple(row.score_texts().items()),
            algorithms=tuple(
                (name, show_count(a.samples).text, show_count(a.operations).text, a.source)
                for name, a in row.algorithms.items()
            ),
        )
        for row, cell in zip(board.reference_rows, board.suite.cells, strict=True)
    )
