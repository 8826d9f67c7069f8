"""Share of replicas still unsolved against samples: Kaplan-Meier curves with their bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthbench.metrics.formatting import format_time_to_target
from synthbench.metrics.survival import binomial_floor, survival_curve
from synthbench.results.figures.style import SAMPLES, colour, finish, line_style, make_panels
from synthbench.results.measured_cell import MeasuredCell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_survival(cells: Sequence[MeasuredCell]) -> Figure:
    """One panel per task, its models side by side; a tick marks censored replicas."""
    tasks = list(dict.fromkeys(cell.record.task for cell in cells))
    figure, panels = make_panels(len(tasks))
    for panel, task in zip(panels, tasks, strict=True):
        chosen = [cell for cell in cells if cell.record.task == task]
        for index, cell in enumerate(chosen):
            _draw_model(panel, cell, index)
        panel.set_xscale("log")
        panel.set_ylim(-0.02, 1.04)
        panel.axhline(0.5, color="0.6", linestyle=":", linewidth=0.9, zorder=0)
        panel.set_xlabel(SAMPLES)
        panel.set_ylabel("share of replicas not yet solved")
        finish(panel, task)
    return figure


def _draw_model(axes: Axes, cell: MeasuredCell, index: int) -> None:
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
    label = f"{cell.record.model}: median {median} {interval}".rstrip()
    axes.fill_between(times, low, high, step="post", color=colour(index), alpha=0.15, linewidth=0)
    axes.step(
        times, share, where="post", color=colour(index), linestyle=line_style(index),
        linewidth=2.0, label=label,
    )  # fmt: skip
    censored = np.unique(reached.times[~reached.solved])
    heights = share[np.searchsorted(times, censored, side="right") - 1]
    axes.plot(censored, heights, marker="|", markersize=11, linestyle="none", color=colour(index))
