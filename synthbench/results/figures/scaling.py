"""A number of every cell against a field, a line for each series, with the fitted power law."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthbench.metrics.formatting import format_estimate, format_p_value
from synthbench.metrics.scaling import PowerLaw
from synthbench.results.figures.axis_names import field_name
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.encoding import Encoding
from synthbench.results.figures.measures import Measure, find_measure
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.points import Point, Scale, draw_points, note_points
from synthbench.results.figures.series import Series
from synthbench.results.figures.ticks import tick_counts
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.scaling import ScalingSeries, find_series, fit_series

DEFAULT_VALUE = "samples_to_target"
REJECTED = 0.05
"""P-value of the curvature below which the points are no power law."""
FAINT = 0.8
"""Width, in points, of the line of a law that its points reject."""


def draw_scaling(cells: Sequence[MeasuredCell], canvas: Canvas, encoding: Encoding) -> Picture:
    """Values with intervals for every series; a fitted line for times, else lines between.

    A line that the points reject is thin. Logarithmic where the field has positive numbers only,
    else a place for each value. An arrow marks a median beyond the budget; a dotted bar without a
    cap goes on without bound.
    """
    found = find_series(cells, encoding.x, encoding.group)
    measure = find_measure(encoding.value or DEFAULT_VALUE, cells)
    picture = canvas.picture(1)
    (panel,) = picture.panels
    scale = Scale.of([value for series in found for value in series.values])
    count = 1 + max(series.colour for series in found)
    for series in found:
        _draw_series(picture, series, measure, scale, count)
    panel.set_xlabel(field_name(found[0].axis), parse_math=False)
    panel.set_ylabel(measure.label(), parse_math=False)
    if measure.is_time and all(p.value is None or p.value > 0 for p in _all(found, measure)):
        tick_counts(picture, panel, "y")
    elif measure.is_share:
        panel.set_ylim(-0.04, 1.04)
    scale.apply(picture, panel)
    picture.finish(panel, f"{measure.words} against {found[0].axis}")
    return picture


def _all(found: Sequence[ScalingSeries], measure: Measure) -> list[Point]:
    return [Point.of(measure, cell) for series in found for cell in series.cells]


def _draw_series(
    picture: Picture, series: ScalingSeries, measure: Measure, scale: Scale, count: int
) -> None:
    """count: of colours."""
    (axes,) = picture.panels
    places = [scale.place(value) for value in series.values]
    points = [Point.of(measure, cell) for cell in series.cells]
    law = fit_series(series, measure.per_sample) if _has_law(measure, scale) else None
    label = _label(series.label, law) if _has_law(measure, scale) else series.label
    look = Series(label, series.colour, count)
    draw_points(axes, places, points, look)
    note_points(picture, {"series": series.label}, (series.field, series.values), points, measure)
    if law is not None:
        ends = np.geomspace(min(places), max(places), 50)
        width = None if _rejection(law) is None else FAINT
        axes.plot(ends, law.predict(ends), linewidth=width, **look.line)
        picture.note(
            {"series": series.label, "line": "power law"},
            {series.field: ends, measure.name: law.predict(ends)},
        )
    elif not _has_law(measure, scale):
        values = [np.nan if point.value is None else point.value for point in points]
        axes.plot(places, values, **look.line)


def _has_law(measure: Measure, scale: Scale) -> bool:
    """Times to target against positive numbers: what a power law is fitted to."""
    return measure.name.endswith("_to_target") and scale.logarithmic


def _label(name: str, law: PowerLaw | None) -> str:
    if law is None:
        return f"{name}: too few solved"
    value, interval = format_estimate(law.exponent)
    text = f"{name}: exponent {value} {interval}"
    rejection = _rejection(law)
    if rejection is not None:
        text += f", power law rejected ({format_p_value(rejection, name=True)})"
    return text


def _rejection(law: PowerLaw) -> float | None:
    """The p-value with which its points reject the law; None where they do not."""
    found = law.curvature
    return found if found is not None and found < REJECTED else None
