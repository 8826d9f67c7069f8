"""Share of replicas still unsolved against samples: Kaplan-Meier curves with their bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthbench.metrics.formatting import format_time_to_target
from synthbench.metrics.survival import binomial_floor, survival_curve
from synthbench.results.figures.axis_names import LOWER, axis_name
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.series import Series, panel_title, series_of
from synthbench.results.figures.style import GREY, SAMPLES
from synthbench.results.figures.ticks import tick_counts
from synthbench.results.measured_cell import MeasuredCell, by_task

if TYPE_CHECKING:
    from matplotlib.axes import Axes

UNSOLVED = "share not yet solved"


def draw_survival(cells: Sequence[MeasuredCell], canvas: Canvas) -> Picture:
    """One panel per task, its models side by side; a tick marks censored replicas."""
    tasks = by_task(cells)
    picture = canvas.picture(len(tasks))
    for axes, chosen in zip(picture.panels, tasks, strict=True):
        for cell, series in series_of(chosen):
            _draw_model(picture, axes, cell, series)
        tick_counts(picture, axes, "x")
        axes.set_ylim(-0.02, 1.04)
        axes.axhline(0.5, color=GREY, linestyle=":", linewidth=0.9, zorder=0)
        axes.set_xlabel(SAMPLES)
        axes.set_ylabel(axis_name(UNSOLVED, better=LOWER))
        picture.finish(axes, panel_title(chosen))
    return picture


def _draw_model(picture: Picture, axes: Axes, cell: MeasuredCell, series: Series) -> None:
    reached, end = cell.metrics.reached, cell.watched
    curve = survival_curve(reached.times, reached.solved)
    first = cell.batch_size
    times = np.concatenate([[min(first, curve.times[0])], curve.times, [end]])
    before = binomial_floor(len(reached.times))
    share, low, high = (
        np.concatenate([[start], values, values[-1:]])
        for start, values in ((1.0, curve.survival), (before, curve.low), (1.0, curve.high))
    )
    median, interval = format_time_to_target(cell.record.summary.samples_to_target, end)
    label = series.label(f"median {median} {interval}")
    axes.fill_between(times, low, high, step="post", **series.band)
    axes.step(times, share, where="post", label=label, **series.line)
    censored = np.unique(reached.times[~reached.solved])
    heights = share[np.searchsorted(times, censored, side="right") - 1]
    axes.plot(censored, heights, marker="|", markersize=9, linestyle="none", color=series.colour)
    labels = {"task": cell.record.task, "series": series.name}
    picture.note(
        {**labels, "line": "Kaplan-Meier"},
        {"samples": times, "unsolved": share, "low": low, "high": high},
    )
    picture.note({**labels, "line": "censored"}, {"samples": censored, "unsolved": heights})
