"""Samples to target against size, with the fitted power law."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from synthbench.metrics.formatting import format_count, format_estimate, format_p_value
from synthbench.metrics.survival import kaplan_meier_median
from synthbench.results.figures.style import colour, finish, line_style, make_panels, marker
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.scaling import ScalingSeries, find_series

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw_scaling(cells: Sequence[MeasuredCell], field: str | None = None) -> Figure:
    """Medians with intervals for every series, and the fitted line.

    An arrow marks a median beyond the budget; a dotted bar without a cap goes on without bound.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    found = find_series(cells, field)
    figure, (panel,) = make_panels(1)
    for index, series in enumerate(found):
        _draw_series(panel, series, index)
    sizes = sorted({size for series in found for size in series.sizes})
    panel.set_xscale("log")
    panel.set_yscale("log")
    panel.set_xticks(sizes, [f"{size:g}" for size in sizes])
    panel.xaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda value, _: format_count(value)))
    panel.yaxis.set_minor_locator(NullLocator())
    panel.set_xlabel(found[0].field)
    panel.set_ylabel("samples to target (median; arrow: beyond the budget)")
    finish(panel, f"samples to target against {found[0].field}")
    return figure


def _draw_series(axes: Axes, series: ScalingSeries, index: int) -> None:
    for position, (size, cell) in enumerate(zip(series.sizes, series.cells, strict=True)):
        reached = cell.metrics.reached
        median = kaplan_meier_median(reached.times, reached.solved)
        look: dict[str, Any] = {"color": colour(index), "marker": marker(index), "markersize": 6}
        label = _label(series) if position == 0 else None
        if median.value is None:
            look["marker"] = "$\\uparrow$"
            axes.plot([size], [cell.watched], linestyle="none", label=label, **look)
            continue
        axes.plot([size], [median.value], linestyle="none", label=label, **look)
        for end, beyond in ((median.low, median.value / 3), (median.high, cell.watched)):
            if end:
                axes.plot([size, size], [median.value, end], color=colour(index))
                axes.plot([size], [end], marker="_", markersize=7, color=colour(index))
            else:
                axes.plot([size, size], [median.value, beyond], color=colour(index), linestyle=":")
    if series.law is not None:
        ends = np.geomspace(series.sizes[0], series.sizes[-1], 50)
        axes.plot(ends, series.law.predict(ends), color=colour(index), linestyle=line_style(index))


def _label(series: ScalingSeries) -> str:
    if series.law is None:
        return f"{series.label}: too few solved"
    value, interval = format_estimate(series.law.exponent)
    text = f"{series.label}: exponent {value} {interval}"
    curvature = series.law.curvature
    if curvature is not None and curvature < 0.05:
        text += f", power law rejected ({format_p_value(curvature, name=True)})"
    return text
