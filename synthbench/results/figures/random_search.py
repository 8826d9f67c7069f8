"""Solving times against random search: a Q-Q plot with the exponential law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthbench.errors import NothingToDrawError
from synthbench.metrics.formatting import format_p_value
from synthbench.results.figures.axis_names import axis_name
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.series import Series, panel_title, series_of
from synthbench.results.figures.style import GREY
from synthbench.results.measured_cell import MeasuredCell, by_task

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def draw_random_search(cells: Sequence[MeasuredCell], canvas: Canvas) -> Picture:
    """One panel per task; points on the diagonal are what random search would give."""
    tested = [cell for cell in cells if cell.metrics.random_search is not None]
    if not tested:
        raise NothingToDrawError("fewer than four replicas of any cell solved the task")
    tasks = by_task(tested)
    picture = canvas.picture(len(tasks))
    for axes, chosen in zip(picture.panels, tasks, strict=True):
        ends = [_draw_model(picture, axes, cell, series) for cell, series in series_of(chosen)]
        ends = [0, max(ends)]
        axes.plot(ends, ends, color=GREY, linewidth=1, zorder=0, label="random search")
        axes.set_xlabel(axis_name("quantile of random search", "its mean is 1"))
        axes.set_ylabel(axis_name("solving time", "in the same unit"))
        picture.finish(axes, panel_title(chosen))
    return picture


def _draw_model(picture: Picture, axes: Axes, cell: MeasuredCell, series: Series) -> float:
    reached, test = cell.metrics.reached, cell.metrics.random_search
    assert test is not None
    times = np.sort(reached.times[reached.solved]) / test.mean
    # Hazen's plotting positions; all censoring is at the budget, after the last solved one.
    shares = (np.arange(1, len(times) + 1) - 0.5) / len(reached.times)
    expected = -np.log1p(-shares)
    verdict = "rejected" if test.p_value < 0.05 else "not rejected"
    verdict += f" ({format_p_value(test.p_value, name=True)})"
    label = series.label(f"CV {test.cv:.2f}, {verdict}")
    axes.plot(expected, times, fillstyle="none", label=label, **series.marks)
    picture.note(
        {"task": cell.record.task, "series": series.name}, {"quantile": expected, "time": times}
    )
    return float(max(expected[-1], times[-1]))
