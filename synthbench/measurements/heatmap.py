"""A measured number over two fields."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from synthbench.measurements.points import (
    Array,
    MeasuredPoints,
    is_share,
    is_wide,
    point_of,
)
from synthbench.metrics.formatting import format_count
from synthbench.results.cell_fields import in_order, value_words
from synthbench.results.figures.axis_names import field_name
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.encoding import Encoding
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.squares import (
    Square,
    draw_bar,
    draw_squares,
    highest,
    write_numbers,
)
from synthbench.results.figures.ticks import thin_labels, tick_values

if TYPE_CHECKING:
    from matplotlib.colors import Colormap, Normalize


def draw_heatmap(points: MeasuredPoints, canvas: Canvas, encoding: Encoding) -> Picture:
    """Medians of the seeds, of events their shares; a panel for each combination of other fields.

    What never came is grey.
    """
    assert encoding.x is not None and encoding.y is not None and encoding.value is not None
    x, y, value = map(points.column, (encoding.x, encoding.y, encoding.value))
    numbers = points.numbers(value)
    columns, rows = in_order(points.values(x)), in_order(points.values(y))
    others = points.varied([x, y])
    panels = points.groups(others)
    norm, colours = _colours(numbers)
    picture = canvas.picture(len(panels), highest=highest(len(rows)))
    for axes, chosen in zip(picture.panels, panels, strict=True):
        squares = _squares(points, (x, y), numbers, chosen)
        draw_squares(axes, squares, norm, colours)
        tick_values(axes.xaxis, range(len(columns)), list(map(value_words, columns)))
        tick_values(axes.yaxis, range(len(rows)), list(map(value_words, rows)))
        axes.set_xlim(-0.5, len(columns) - 0.5)
        axes.set_ylim(-0.5, len(rows) - 0.5)
        axes.set_xlabel(field_name(x), parse_math=False)
        axes.set_ylabel(field_name(y), parse_math=False)
        picture.finish(axes, points.label(others, chosen[0]), legend=False)
        picture.later(partial(thin_labels, axes))
        picture.later(partial(write_numbers, axes, squares, norm, colours))
        for square in squares:
            places = {x: value_words(columns[square.column]), y: value_words(rows[square.row])}
            labels = {"panel": points.label(others, chosen[0])}
            picture.note(labels, {**places, value: square.value})
    draw_bar(picture, norm, colours, value.replace("_", " "))
    return picture


def _squares(
    points: MeasuredPoints, fields: tuple[str, str], numbers: Array, chosen: Sequence[int]
) -> list[Square]:
    values = [points.values(field) for field in fields]
    orders = [in_order(each) for each in values]
    found = []
    for column, at in enumerate(orders[0]):
        for row, beside in enumerate(orders[1]):
            own = [r for r in chosen if values[0][r] == at and values[1][r] == beside]
            if own:
                value = point_of(numbers[own]).value
                found.append(Square(column, row, value, _words(value)))
    return found


def _words(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if abs(value) < 1 and value % 1 else format_count(value)


def _colours(numbers: Array) -> tuple[Normalize, Colormap]:
    import matplotlib
    from matplotlib.colors import LogNorm, Normalize

    colours = matplotlib.colormaps[matplotlib.rcParams["image.cmap"]]
    if is_share(numbers):
        return Normalize(0, 1), colours
    known = numbers[np.isfinite(numbers)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    if is_wide(numbers):
        return LogNorm(low, high), colours
    return Normalize(low - 0.5, high + 0.5) if low == high else Normalize(low, high), colours
