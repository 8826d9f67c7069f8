"""Points with intervals over the values of a field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from synthbench.results.cell_fields import in_order, is_number, value_words
from synthbench.results.fields import Value
from synthbench.results.figures.layout import POINTS
from synthbench.results.figures.measures import Measure
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.series import Series
from synthbench.results.figures.ticks import thin_labels, tick_counts, tick_values
from synthbench.results.measured_cell import MeasuredCell

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.transforms import Transform

ARROW = 2.0
"""Size of an arrow in sizes of a mark."""
APART, WIDEST = 0.5, 2.5
"""From a mark to that of the next series, and from the first to the last, in sizes of a mark."""
MANY = 7
"""Values of a field up to which each has a tick."""
DOWN = 3.0
"""How many times below a value a bar ends that has no lower end."""


@dataclass(frozen=True)
class Point:
    """A number with its interval; value None lies beyond `beyond`, or is not defined."""

    value: float | None
    low: float | None
    high: float | None
    beyond: float | None

    @classmethod
    def of(cls, measure: Measure, cell: MeasuredCell) -> Point:
        """The number of a cell; where it is a time, with what was watched."""
        found = measure.of(cell)
        beyond = measure.beyond(cell) if measure.is_time else None
        return cls(found.value, found.low, found.high, beyond)


@dataclass(frozen=True)
class Scale:
    """The horizontal axis of a field: logarithmic, or a place for each of its values."""

    values: Sequence[Value]
    logarithmic: bool

    @classmethod
    def of(cls, values: Sequence[Value]) -> Scale:
        """Logarithmic where all values are positive numbers."""
        distinct = in_order(values)
        return cls(distinct, all(is_number(v) and float(v or 0) > 0 for v in distinct))

    def place(self, value: Value) -> float:
        """Where a value is."""
        if self.logarithmic:
            assert isinstance(value, int | float)
            return float(value)
        return float(self.values.index(value))

    def apply(self, picture: Picture, axes: Axes) -> None:
        """Set the scale, and a tick for each value, or round ones where there are many.

        Names of ticks that run into one another are left out later.
        """
        if self.logarithmic and len(self.values) > MANY:
            tick_counts(picture, axes, "x", value_words)
            return
        if self.logarithmic:
            axes.set_xscale("log")
        places, words = map(self.place, self.values), map(value_words, self.values)
        tick_values(axes.xaxis, list(places), list(words))
        picture.later(partial(thin_labels, axes))


def draw_points(
    axes: Axes,
    places: Sequence[float],
    points: Sequence[Point],
    series: Series,
    *,
    apart: bool = True,
) -> None:
    """Marks with bars; an arrow stands where a time lies beyond what was watched.

    A dotted bar without a cap goes on without bound. apart: whether series stand beside one
    another, by a few points of the page, so that none hides another's marks.
    """
    beside = _beside(axes, series) if apart else axes.transData
    known = [p for p, point in enumerate(points) if point.value is not None]
    marks = np.array([[places[p], points[p].value] for p in known], float).reshape(-1, 2)
    axes.plot(*marks.T, label=series.name, transform=beside, **series.marks)
    above = [p for p, point in enumerate(points) if point.value is None and point.beyond]
    arrows = np.array([[places[p], points[p].beyond] for p in above], float).reshape(-1, 2)
    arrow = {**series.marks, "marker": "$\\uparrow$"}
    axes.plot(*arrows.T, transform=beside, markersize=_mark_size() * ARROW, **arrow)
    for p in known:
        _draw_bars(axes, places[p], points[p], {"color": series.colour, "transform": beside})
    # Matplotlib leaves out of its limits what is moved by points of the page.
    for place, point in zip(places, points, strict=True):
        open_end = point.beyond if point.high is None else None
        ends = (point.value, point.low or None, point.high, open_end)
        axes.update_datalim([(place, end) for end in ends if end is not None])


def _draw_bars(axes: Axes, place: float, point: Point, look: Mapping[str, Any]) -> None:
    assert point.value is not None
    for end, reach in ((point.low, point.value / DOWN), (point.high, point.beyond)):
        # No time is bounded by 0 from below: too few replicas.
        if end is not None and (end > 0 or point.beyond is None):
            axes.plot([place] * 2, [point.value, end], linestyle="-", **_thin(look))
            axes.plot([place], [end], marker="_", **look)
        elif point.beyond is not None and reach is not None:
            axes.plot([place] * 2, [point.value, reach], linestyle=":", **_thin(look))


def _thin(look: Mapping[str, Any]) -> dict[str, Any]:
    from matplotlib import rcParams

    return {**look, "linewidth": 0.7 * rcParams["lines.linewidth"]}


def _mark_size() -> float:
    from matplotlib import rcParams

    return float(rcParams["lines.markersize"])


def _beside(axes: Axes, series: Series) -> Transform:
    """The data's own coordinates, moved by the place of the series among the others."""
    from matplotlib.transforms import ScaledTranslation

    apart = min(APART, WIDEST / series.count) * _mark_size()
    right = (series.index - (series.count - 1) / 2) * apart
    return axes.transData + ScaledTranslation(right / POINTS, 0, axes.figure.dpi_scale_trans)


def note_points(
    picture: Picture,
    labels: Mapping[str, str],
    field: tuple[str, Sequence[Value]],
    points: Sequence[Point],
    measure: Measure,
    more: Mapping[str, Any] = {},
) -> None:
    """Keep the numbers; field: name and values of the one on the horizontal axis.

    more: further columns.
    """
    columns = {
        field[0]: list(field[1]),
        measure.name: [point.value for point in points],
        f"{measure.name}_low": [point.low for point in points],
        f"{measure.name}_high": [point.high for point in points],
    }
    if measure.is_time:
        columns["beyond"] = [point.beyond for point in points]
    picture.note(labels, {**columns, **more})
