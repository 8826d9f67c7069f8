"""Solving times against random search: a Q-Q plot with the exponential law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthbench.errors import NothingToDrawError
from synthbench.metrics.formatting import format_p_value
from synthbench.results.figures.style import GREY, colour, finish, make_panels, marker
from synthbench.results.measured_cell import MeasuredCell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_random_search(cells: Sequence[MeasuredCell]) -> Figure:
    """One panel per task; points on the diagonal are what random search would give."""
    tested = [cell for cell in cells if cell.metrics.random_search is not None]
    if not tested:
        raise NothingToDrawError("fewer than four replicas of any cell solved the task")
    tasks = list(dict.fromkeys(cell.record.task for cell in tested))
    figure, panels = make_panels(len(tasks))
    for panel, task in zip(panels, tasks, strict=True):
        chosen = [cell for cell in tested if cell.record.task == task]
        ends = [_draw_model(panel, cell, index) for index, cell in enumerate(chosen)]
        panel.plot([0, max(ends)], [0, max(ends)], color=GREY, linewidth=1, zorder=0)
        panel.set_xlabel("quantile under random search (units of its mean time)")
        panel.set_ylabel("solving time (units of random search's mean)")
        finish(panel, task)
    return figure


def _draw_model(axes: Axes, cell: MeasuredCell, index: int) -> float:
    reached, test = cell.metrics.reached, cell.metrics.random_search
    assert test is not None
    times = np.sort(reached.times[reached.solved]) / test.mean
    # Hazen's plotting positions; all censoring is at the budget, after the last solved one.
    shares = (np.arange(1, len(times) + 1) - 0.5) / len(reached.times)
    expected = -np.log1p(-shares)
    verdict = "rejected" if test.p_value < 0.05 else "not rejected"
    verdict += f", {format_p_value(test.p_value, name=True)}"
    label = f"{cell.record.model}: CV {test.cv:.2f}, random search {test.random_search_cv:.2f}"
    axes.plot(
        expected, times, marker=marker(index), markersize=5, fillstyle="none", linestyle="none",
        color=colour(index), label=f"{label} ({verdict})",
    )  # fmt: skip
    return float(max(expected[-1], times[-1]))
