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
from synthbench.results.figures.style import SAMPLES, colour, finish, line_style, make_panels
from synthbench.results.measured_cell import MeasuredCell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_test_sets(cells: Sequence[MeasuredCell]) -> Figure:
    """One panel per cell; median and 10%..90% of replicas on each test set."""
    chosen = [cell for cell in cells if len(cell.record.test_sets) > 1]
    if not chosen:
        raise NothingToDrawError("these tasks have one test set")
    figure, panels = make_panels(len(chosen))
    for panel, cell in zip(panels, chosen, strict=True):
        _draw_cell(panel, cell)
    return figure


def first_scores(record: Record) -> list[str]:
    """The first score of each test set."""
    first: dict[str, str] = {}
    for name in record.scores:
        first.setdefault(set_name(name), name)
    return list(first.values())


def _draw_cell(axes: Axes, cell: MeasuredCell) -> None:
    scores = [s for s in first_scores(cell.record) if s in cell.trajectories.measured]
    for index, score in enumerate(scores):
        _draw_score(axes, cell, score, index)
    if cell.trajectories.column("samples").any():
        axes.set_xscale("log")
    axes.set_xlabel(SAMPLES)
    axes.set_ylabel(" or ".join(dict.fromkeys(map(base_name, scores))))
    finish(axes, f"{cell.record.task}\n{cell.record.model}")


def _draw_score(axes: Axes, cell: MeasuredCell, score: str, index: int) -> None:
    grid, (low, median, high) = cell.trajectories.quantiles(score, [0.1, 0.5, 0.9])
    final = spread(np.array([values[-1] for values in cell.trajectories.by_replica(score)]))
    words = " ".join(format_estimate(final)).rstrip()
    ranked = ", ranked" if score == cell.record.summary.score else ""
    axes.fill_between(grid[1:], low[1:], high[1:], color=colour(index), alpha=0.15, linewidth=0)
    axes.plot(
        grid[1:], median[1:], color=colour(index), linestyle=line_style(index), linewidth=2.0,
        label=f"{score}: final {words}{ranked}",
    )  # fmt: skip
