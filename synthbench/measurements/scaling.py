"""A measured number against a field, a line for each series."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthbench.measurements.points import MeasuredPoints, is_share, is_wide, point_of
from synthbench.metrics.formatting import format_estimate
from synthbench.metrics.scaling import fit_power_law
from synthbench.plan.grouping import groups
from synthbench.results.cell_fields import in_order, value_words
from synthbench.results.figures.axis_names import field_name
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.encoding import Encoding
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.points import Scale, draw_points
from synthbench.results.figures.series import Series
from synthbench.results.figures.ticks import tick_counts


def draw_scaling(points: MeasuredPoints, canvas: Canvas, encoding: Encoding) -> Picture:
    """Medians of the seeds with intervals, and lines between them; of events their shares.

    group: the field that tells colours apart. Where both axes are logarithmic the legend names the
    exponent of the power law through all rows.
    """
    assert encoding.x is not None and encoding.value is not None
    x, value = points.column(encoding.x), points.column(encoding.value)
    numbers, words = points.numbers(value), value.replace("_", " ")
    group = [] if encoding.group is None else [points.column(encoding.group)]
    others = points.varied([x, *group])
    told = [*group, *others]
    lines = [line for rows in points.groups(group) for line in _lines(points, rows, x, others)]
    colours = _colours(points, lines, group)
    scale = Scale.of(points.values(x))
    wide = is_wide(numbers)
    picture = canvas.picture(1)
    (panel,) = picture.panels
    for rows, colour in zip(lines, colours, strict=True):
        alone = colours.count(colour) == 1
        label = points.label(group if group and alone else told, rows[0]) or words
        if wide and scale.logarithmic:
            label += _exponent(points, x, value, rows)
        _draw_line(picture, points, (x, value), rows, scale, Series(label, colour, len(lines)))
    panel.set_xlabel(field_name(x), parse_math=False)
    median = "" if is_share(numbers) else " (median)"
    panel.set_ylabel(f"{words}{median}", parse_math=False)
    if is_share(numbers):
        panel.set_ylim(-0.04, 1.04)
    elif wide:
        tick_counts(picture, panel, "y")
    scale.apply(picture, panel)
    picture.finish(panel, f"{words} against {x}")
    return picture


def _lines(
    points: MeasuredPoints, rows: Sequence[int], x: str, others: Sequence[str]
) -> list[list[int]]:
    """The rows together where each place has one configuration, else those equal in the rest."""
    if not others:
        return [list(rows)]
    rest = list(zip(*(points.values(name) for name in others), strict=True))
    places = points.values(x)
    if len({(places[row], rest[row]) for row in rows}) == len({places[row] for row in rows}):
        return [list(rows)]
    parts = groups([rest[row] for row in rows])
    return [[rows[place] for place in part] for part in parts]


def _colours(
    points: MeasuredPoints, lines: Sequence[Sequence[int]], group: Sequence[str]
) -> list[int]:
    """One for each line; those that are equal in the group share theirs."""
    if not group:
        return list(range(len(lines)))
    values = points.values(group[0])
    own = [values[rows[0]] for rows in lines]
    order = in_order(own)
    return [order.index(each) for each in own]


def _draw_line(
    picture: Picture,
    points: MeasuredPoints,
    columns: tuple[str, str],
    rows: Sequence[int],
    scale: Scale,
    look: Series,
) -> None:
    """columns: of the field, and of the number."""
    (axes,) = picture.panels
    values, numbers = points.values(columns[0]), points.numbers(columns[1])
    own = [values[row] for row in rows]
    at = in_order(own)
    drawn = [point_of(numbers[[r for r, v in zip(rows, own, strict=True) if v == x]]) for x in at]
    places = [scale.place(x) for x in at]
    draw_points(axes, places, drawn, look)
    heights = [np.nan if point.value is None else point.value for point in drawn]
    axes.plot(places, heights, **look.line)
    picture.note(
        {"series": look.name},
        {
            columns[0]: list(map(value_words, at)),
            columns[1]: [point.value for point in drawn],
            f"{columns[1]}_low": [point.low for point in drawn],
            f"{columns[1]}_high": [point.high for point in drawn],
        },
    )


def _exponent(points: MeasuredPoints, x: str, value: str, rows: Sequence[int]) -> str:
    """`: exponent 2.9 [2.7, 3.1]`; nothing where some never came, or the field has one value."""
    sizes, numbers = points.numbers(x)[rows], points.numbers(value)[rows]
    known = ~np.isnan(numbers)
    if len(np.unique(sizes[known])) < 2 or not np.isfinite(numbers[known]).all():
        return ""
    law = fit_power_law(sizes[known], numbers[known], np.ones(int(known.sum()), bool))
    if law is None:
        return ""
    return f": exponent {' '.join(format_estimate(law.exponent)).strip()}"
