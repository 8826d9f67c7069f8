"""Score against samples: every replica, the median, and what simple strategies score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthbench.metrics.ceiling import ceiling_words
from synthbench.metrics.formatting import format_time_to_target
from synthbench.metrics.score_names import base_name
from synthbench.records.schema import Record
from synthbench.results.figures.axis_names import score_name
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.levels import draw_levels
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.series import Series, panel_title, series_of
from synthbench.results.figures.style import SAMPLES
from synthbench.results.figures.ticks import tick_counts
from synthbench.results.measured_cell import MeasuredCell, by_task

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTTED = (0, (1, 1))


def draw_learning_curves(cells: Sequence[MeasuredCell], canvas: Canvas) -> Picture:
    """One panel per task, its models side by side; what simple strategies score as grey lines."""
    tasks = by_task(cells)
    picture = canvas.picture(len(tasks))
    for axes, chosen in zip(picture.panels, tasks, strict=True):
        _draw_panel(picture, axes, chosen)
    return picture


def _draw_panel(picture: Picture, axes: Axes, cells: Sequence[MeasuredCell]) -> None:
    for cell, series in series_of(cells):
        _draw_model(picture, axes, cell, series)
    if any(_training_score(cell) is not None for cell in cells):
        # One entry for all: they have the colours of their models.
        axes.plot([], [], color="0.35", linestyle=DOTTED, label="on the training data")
    record, ranked = cells[0].record, cells[0].trajectories.ranked
    if any(cell.trajectories.column("samples").any() for cell in cells):
        tick_counts(picture, axes, "x")
    axes.set_xlabel(SAMPLES)
    axes.set_ylabel(score_name(record, ranked), parse_math=False)
    levels = _levels(record, ranked)
    draw_levels(picture, axes, levels)
    for name, level in levels.items():
        picture.note({"task": record.task, "line": name}, {ranked: level})
    picture.finish(axes, panel_title(cells))


def _draw_model(picture: Picture, axes: Axes, cell: MeasuredCell, series: Series) -> None:
    trajectories = cell.trajectories
    ranked = trajectories.ranked
    samples, scores = trajectories.by_replica("samples"), trajectories.by_replica(ranked)
    labels = {"task": cell.record.task, "series": series.name}
    for replica, (spent, score) in enumerate(zip(samples, scores, strict=True)):
        axes.plot(spent[1:], score[1:], **series.replica(len(scores)))
        picture.note(
            {**labels, "line": f"replica {replica}"}, {"samples": spent[1:], ranked: score[1:]}
        )
    grid, carried = trajectories.carried_forward(ranked)
    if len(grid) == 1:
        # Every replica diverged before its first evaluation.
        axes.plot([], [], label=_caption(cell, series), **series.line)
        return
    low, median, high = np.nanquantile(carried[:, 1:], [0.1, 0.5, 0.9], axis=0)
    axes.fill_between(grid[1:], low, high, **series.band)
    axes.plot(grid[1:], median, label=_caption(cell, series), **series.line)
    picture.note(
        {**labels, "line": "median"},
        {"samples": grid[1:], ranked: median, "low": low, "high": high},
    )
    training = _training_score(cell)
    if training is not None:
        _, carried = trajectories.carried_forward(training)
        median = np.nanmedian(carried[:, 1:], axis=0)
        axes.plot(grid[1:], median, color=series.colour, linestyle=DOTTED)
        picture.note(
            {**labels, "line": "median on training data"}, {"samples": grid[1:], ranked: median}
        )


def _training_score(cell: MeasuredCell) -> str | None:
    """The column of the ranked score on the training data, where these are finite."""
    name = f"train_{base_name(cell.trajectories.ranked)}"
    return name if name in cell.trajectories.table.column_names else None


def _caption(cell: MeasuredCell, series: Series) -> str:
    summary = cell.record.summary
    value, interval = format_time_to_target(summary.samples_to_target, cell.watched)
    solved = f"{summary.solved}/{summary.replicas} solved"
    return series.label(f"{solved}, median {value} {interval}")


def _levels(record: Record, ranked: str) -> dict[str, float]:
    """Mean scores of all references, the trivial one first, and the target."""
    means, target = record.mean_levels(ranked), record.target.score
    trivial, ceiling = means["trivial"], means[record.ceiling]
    if target is None:
        target = trivial + record.target.progress * (ceiling - trivial)
    named = {ceiling_words(name): score for name, score in means.items()}
    return {**named, f"target {target:.3g}": target}
