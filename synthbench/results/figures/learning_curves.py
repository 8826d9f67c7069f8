"""Score against samples: every replica, the median, and what simple strategies score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthbench.metrics.ceiling import ceiling_words
from synthbench.metrics.formatting import format_time_to_target
from synthbench.metrics.score_names import base_name
from synthbench.records.schema import Record
from synthbench.results.figures.style import GREY, SAMPLES, colour, finish, line_style, make_panels
from synthbench.results.measured_cell import MeasuredCell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_learning_curves(cells: Sequence[MeasuredCell]) -> Figure:
    """One panel per task, its models side by side."""
    tasks = list(dict.fromkeys(cell.record.task for cell in cells))
    figure, panels = make_panels(len(tasks))
    for panel, task in zip(panels, tasks, strict=True):
        _draw_panel(panel, [cell for cell in cells if cell.record.task == task])
    return figure


def _draw_panel(axes: Axes, cells: Sequence[MeasuredCell]) -> None:
    for index, cell in enumerate(cells):
        _draw_model(axes, cell, colour(index), line_style(index))
    record, ranked = cells[0].record, cells[0].trajectories.ranked
    _draw_references(axes, record, ranked)
    if any(cell.trajectories.column("samples").any() for cell in cells):
        axes.set_xscale("log")
    axes.set_xlabel(SAMPLES)
    axes.set_ylabel(ranked)
    finish(axes, record.task)


def _draw_model(axes: Axes, cell: MeasuredCell, colour: str, style: str) -> None:
    trajectories = cell.trajectories
    samples = trajectories.by_replica("samples")
    scores = trajectories.by_replica(trajectories.ranked)
    faint = float(np.clip(6 / len(scores), 0.03, 0.18))
    for spent, score in zip(samples, scores, strict=True):
        axes.plot(spent[1:], score[1:], color=colour, alpha=faint, linewidth=0.7)
    grid, carried = trajectories.carried_forward(trajectories.ranked)
    if len(grid) == 1:
        # Every replica diverged before its first evaluation.
        axes.plot([], [], color=colour, linestyle=style, label=_caption(cell))
        return
    low, median, high = np.nanquantile(carried[:, 1:], [0.1, 0.5, 0.9], axis=0)
    axes.fill_between(grid[1:], low, high, color=colour, alpha=0.15, linewidth=0)
    axes.plot(grid[1:], median, color=colour, linestyle=style, linewidth=2.2, label=_caption(cell))
    training = f"train_{base_name(trajectories.ranked)}"
    if training in trajectories.table.column_names:
        _, carried = trajectories.carried_forward(training)
        axes.plot(
            grid[1:], np.nanmedian(carried[:, 1:], axis=0), color=colour, linestyle=(0, (1, 1)),
            linewidth=1.6, label="the same on its training data (median)",
        )  # fmt: skip


def _caption(cell: MeasuredCell) -> str:
    record, summary = cell.record, cell.record.summary
    value, interval = format_time_to_target(summary.samples_to_target, cell.watched)
    solved = f"{summary.solved}/{summary.replicas} solved"
    return f"{record.model}: {solved}, median {value} {interval}".rstrip()


def _draw_references(axes: Axes, record: Record, ranked: str) -> None:
    """Grey lines at the mean scores of trivial and ceiling, and at the target between them."""
    means, target = record.mean_levels(ranked), record.target.score
    trivial, ceiling = means["trivial"], means[record.ceiling]
    if target is None:
        target = trivial + record.target.progress * (ceiling - trivial)
    for label, score, style in (
        ("trivial", trivial, ":"),
        (ceiling_words(record.ceiling), ceiling, ":"),
        (f"target {target:.3g}", target, "--"),
    ):
        axes.axhline(score, color=GREY, linestyle=style, linewidth=0.9, zorder=0)
        below = label.startswith("target")
        axes.annotate(
            label,
            (1.0, score),
            xycoords=("axes fraction", "data"),
            xytext=(-2, -2 if below else 2),
            textcoords="offset points",
            ha="right",
            va="top" if below else "bottom",
            fontsize=8,
            color=GREY,
        )
