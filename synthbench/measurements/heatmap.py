"""A measured number over two fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthbench.measurements.points import (
    Array,
    MeasuredPoints,
    is_share,
    is_wide,
    point_of,
)
from synthbench.results.cell_fields import in_order, value_words
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.encoding import Encoding
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.squares import (
    Side,
    Square,
    draw_bar,
    draw_map,
    highest,
    linear,
    number_words,
)

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
    sides = Side(x, columns), Side(y, rows)
    for axes, chosen in zip(picture.panels, panels, strict=True):
        squares = _squares(points, (x, y), numbers, chosen)
        title = points.label(others, chosen[0])
        draw_map(picture, axes, squares, sides, (norm, colours), title)
        for square in squares:
            places = {x: value_words(columns[square.column]), y: value_words(rows[square.row])}
            picture.note({"panel": title}, {**places, value: square.value})
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
                words = "-" if value is None else number_words(value)
                found.append(Square(column, row, value, words))
    return found


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
    return linear(low, high), colours
