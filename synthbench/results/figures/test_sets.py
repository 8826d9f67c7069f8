"""The first score of every test set against samples: what is learnt where, and when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthbench.errors import NothingToDrawError
from synthbench.metrics.formatting import format_estimate
from synthbench.metrics.score_names import base_name, set_name
from synthbench.metrics.summary import spread
from synthbench.records.schema import Record
from synthbench.results.cell_fields import Fields
from synthbench.results.figures.axis_names import axis_name, direction
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.style import SAMPLES, colour, line_style
from synthbench.results.figures.ticks import tick_counts
from synthbench.results.measured_cell import MeasuredCell

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_test_sets(cells: Sequence[MeasuredCell], canvas: Canvas) -> Picture:
    """One panel per cell; median and 10%..90% of replicas on each test set."""
    chosen = [cell for cell in cells if len(cell.record.test_sets) > 1]
    if not chosen:
        raise NothingToDrawError("these tasks have one test set")
    picture = canvas.picture(len(chosen))
    for axes, cell, title in zip(picture.panels, chosen, Fields(chosen).titles(), strict=True):
        _draw_cell(picture, axes, cell, title)
    return picture


def first_scores(record: Record) -> list[str]:
    """The first score of each test set."""
    first: dict[str, str] = {}
    for name in record.scores:
        first.setdefault(set_name(name), name)
    return list(first.values())


def _draw_cell(picture: Picture, axes: Axes, cell: MeasuredCell, title: str) -> None:
    scores = [s for s in first_scores(cell.record) if s in cell.trajectories.measured]
    for index, score in enumerate(scores):
        _draw_score(picture, axes, cell, score, index)
    if cell.trajectories.column("samples").any():
        tick_counts(picture, axes, "x")
    axes.set_xlabel(SAMPLES)
    better = {direction(cell.record, score) for score in scores}
    words = " or ".join(dict.fromkeys(map(base_name, scores)))
    axes.set_ylabel(
        axis_name(words, better=better.pop() if len(better) == 1 else ""), parse_math=False
    )
    picture.finish(axes, title)


def _draw_score(picture: Picture, axes: Axes, cell: MeasuredCell, score: str, index: int) -> None:
    grid, (low, median, high) = cell.trajectories.quantiles(score, [0.1, 0.5, 0.9])
    final = spread(np.array([values[-1] for values in cell.trajectories.by_replica(score)]))
    words = " ".join(format_estimate(final)).rstrip()
    ranked = ", ranked" if score == cell.record.summary.score else ""
    axes.fill_between(grid[1:], low[1:], high[1:], color=colour(index), alpha=0.15, linewidth=0)
    axes.plot(
        grid[1:], median[1:], color=colour(index), linestyle=line_style(index),
        label=f"{score}: final {words}{ranked}",
    )  # fmt: skip
    picture.note(
        {"task": cell.record.task, "model": cell.record.model, "score": score},
        {"samples": grid[1:], "median": median[1:], "low": low[1:], "high": high[1:]},
    )
