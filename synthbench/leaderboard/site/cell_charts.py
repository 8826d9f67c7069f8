"""The two charts of a cell: learning curves, and the share of replicas still unsolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthbench.leaderboard.site.svg import (
    Frame,
    band,
    line,
    make_frame,
    point,
    stairs,
    stairs_band,
)
from synthbench.leaderboard.standings.board import Board
from synthbench.leaderboard.standings.entry import Entry, EntryCell
from synthbench.metrics.formatting import format_count
from synthbench.metrics.survival import binomial_floor

DRAWN = 8
"""Entries in the charts of a board: more lines cannot be told apart."""
COLOURS, DASHES = 7, 4
BESIDE = "beside"
"""Class of the reference model's lines."""
SAMPLES = "training samples per replica"
WIDEST = 20_000.0
"""The sample axis begins at this fraction of the budget, or where the first evaluation is."""


@dataclass(frozen=True)
class CellFrames:
    """The axes that all charts of one cell share, on the board and on every submission's page."""

    learning: Frame
    survival: Frame


@dataclass(frozen=True)
class Drawn:
    """An entry in a board's charts; css: the classes of its lines."""

    entry: Entry
    css: str


def drawn_entries(board: Board) -> tuple[Drawn, ...]:
    """The best entries, with the reference model as the last of them if it is not among them."""
    chosen, reference = list(board.entries[:DRAWN]), reference_entry(board)
    if reference is not None and all(entry is not reference for entry in chosen):
        chosen[-1] = reference
    styles = (line_style(index) for index in range(len(chosen)))
    return tuple(Drawn(entry, BESIDE if entry is reference else next(styles)) for entry in chosen)


def reference_entry(board: Board) -> Entry | None:
    """The entry that ratios are over."""
    return next((entry for entry in board.entries if entry.is_reference), None)


def line_style(index: int) -> str:
    """Classes of the line with this index: a colour and a dash."""
    return f"c{index % COLOURS} d{index % DASHES}"


def make_frames(board: Board, index: int) -> CellFrames:
    """The frames of the cell with this index; the board has entries."""
    cells = [entry.cells[index] for entry in board.entries]
    budget = float(board.suite.cells[index].budget)
    first = min(float(cell.curve.samples[cell.curve.samples > 0][0]) for cell in cells)
    samples = (max(min(first, budget / 2), budget / WIDEST), budget)
    scores = board.reference_rows[index].scores
    learning = make_frame(
        samples,
        _score_range(scores, cells),
        (SAMPLES, cells[0].summary.score),
        (format_count, _score_tick),
        (True, False),
        [(score, name) for name, score in scores.items()],
    )
    survival = make_frame(
        samples,
        (-0.02, 1.02),
        (SAMPLES, "share not yet solved"),
        (format_count, _score_tick),
        (True, False),
    )
    return CellFrames(learning, survival)


def learning_marks(frames: CellFrames, cell: EntryCell, css: str, title: str) -> str:
    """The median over replicas and its 10%..90% band."""
    frame, curve = frames.learning, cell.curve
    after = curve.samples > 0
    samples = curve.samples[after]
    area = band(frame, samples, curve.low[after], curve.high[after], css)
    return area + line(frame, samples, curve.median[after], css, title)


def survival_marks(frames: CellFrames, cell: EntryCell, css: str, title: str) -> str:
    """The Kaplan-Meier curve, its 95% band, and a mark where replicas are censored."""
    frame, curve, reached = frames.survival, cell.survival, cell.times.reached
    start, budget = frame.x.low, cell.times.budget
    times = np.concatenate([[start], curve.times, [budget]])
    before = binomial_floor(len(reached.times))
    share, low, high = (
        np.concatenate([[first], values, values[-1:]])
        for first, values in ((1.0, curve.survival), (before, curve.low), (1.0, curve.high))
    )
    marks = stairs_band(frame, times, low, high, css) + stairs(frame, times, share, css, title)
    if not reached.solved.all():
        marks += point(frame.x.at(budget), frame.y.at(float(share[-1])), f"{css} censored")
    return marks


def _score_range(scores: Mapping[str, float], cells: Sequence[EntryCell]) -> tuple[float, float]:
    """From the worst to the best strategy, and a little beyond where curves go there.

    A network that diverges must not flatten the others.
    """
    low, high = min(scores.values()), max(scores.values())
    span = high - low or 1.0
    seen = np.concatenate([[low, high], *([c.curve.low, c.curve.high] for c in cells)], axis=None)
    seen = seen[np.isfinite(seen)]
    least, most = float(seen.min()), float(seen.max())
    return max(least, low - span / 3) - span / 20, min(most, high + span / 3) + span / 20


def _score_tick(value: float) -> str:
    return f"{value:g}"
