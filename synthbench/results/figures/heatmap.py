"""One number of every cell over two fields: where a task is solved, and how fast."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from synthbench.errors import ConfigurationError, NothingToDrawError
from synthbench.metrics.formatting import format_count
from synthbench.plan.grouping import groups
from synthbench.plan.label import label_words, typed_label
from synthbench.results.cell_fields import Fields, check_varies, in_order
from synthbench.results.fields import Value
from synthbench.results.figures.axis_names import LOWER
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.encoding import Encoding
from synthbench.results.figures.measures import Measure, find_measure
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
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.varying import own_name

if TYPE_CHECKING:
    from matplotlib.colors import Colormap, Normalize

DEFAULT_VALUE = "success_rate"
ORDER = ("protocol", "task", "model", "recipe")
"""Whose field goes to the horizontal axis."""


def draw_heatmap(cells: Sequence[MeasuredCell], canvas: Canvas, encoding: Encoding) -> Picture:
    """One panel for each combination of the other fields; brighter is better.

    A time beyond the budget is hatched and written as a bound; a combination that was not
    trained is blank. Raises NothingToDrawError unless two fields vary, ConfigurationError where
    they are not told apart from more.
    """
    fields = Fields(cells)
    x, y = _axes(fields, encoding)
    measure = find_measure(encoding.value or DEFAULT_VALUE, cells)
    columns, rows = in_order(fields.values(x)), in_order(fields.values(y))
    panels = groups(fields.rest((x, y)))
    picture = canvas.picture(len(panels), highest=highest(len(rows)))
    norm, colours = _colours(measure, cells)
    titles = _titles(fields, [chosen[0] for chosen in panels], (x, y))
    sides = Side(fields.word(x), columns), Side(fields.word(y), rows)
    for axes, chosen, title in zip(picture.panels, panels, titles, strict=True):
        squares = [_square(fields, index, (x, columns), (y, rows), measure) for index in chosen]
        _check_distinct(fields, chosen, squares)
        draw_map(picture, axes, squares, sides, (norm, colours), title)
        for index in chosen:
            _note(picture, fields, index, (x, y), measure)
    beyond = any(measure.is_time and measure.of(cell).value is None for cell in cells)
    draw_bar(picture, norm, colours, measure.label("hatched: beyond budget" if beyond else ""))
    return picture


def _axes(fields: Fields, encoding: Encoding) -> tuple[str, str]:
    """Paths of both fields: those asked for, else the ones that vary."""
    asked = [fields.find(name) for name in (encoding.x, encoding.y) if name is not None]
    for path in asked:
        check_varies(fields, path)
    free = sorted(
        (path for path in fields.paths if path not in asked),
        key=lambda path: (*ORDER, path.split(".")[0]).index(path.split(".")[0]),
    )
    missing = 2 - len(asked)
    names = ", ".join(map(fields.column, fields.paths))
    if len(set(asked)) < len(asked):
        raise ConfigurationError("a heat map needs two different fields as x and y")
    if len(free) < missing:
        raise NothingToDrawError(
            "a heat map needs results that differ in two fields, such as n and width "
            f"(these differ in {names or 'none'})"
        )
    if missing and len(free) > missing:
        raise NothingToDrawError(f"several fields vary ({names}); choose two as x and y")
    if missing == 2:
        return free[0], free[1]
    if missing == 1:
        return (asked[0], free[0]) if encoding.x is not None else (free[0], asked[0])
    return asked[0], asked[1]


def _titles(fields: Fields, firsts: Sequence[int], axes: Sequence[str]) -> list[str]:
    """Task and model of each panel, without the fields on the axes."""
    names = fields.names([*axes, *(path for path in fields.paths if path.startswith("task."))])
    titles = []
    for index in firsts:
        record = fields.cells[index].record
        model = _without(record.model, axes) if len(firsts) == 1 else names[index]
        titles.append(f"{_without(record.task, axes)}, {model}")
    return titles


def _without(label: str, paths: Sequence[str]) -> str:
    hidden = tuple(f"{own_name(path)}=" for path in paths)
    words = label_words(typed_label(label))
    return " ".join(word for word in words if not word.startswith(hidden))


def _square(
    fields: Fields,
    index: int,
    x: tuple[str, Sequence[Value]],
    y: tuple[str, Sequence[Value]],
    measure: Measure,
) -> Square:
    cell = fields.cells[index]
    places = [values.index(fields.values(path)[index]) for path, values in (x, y)]
    value = measure.of(cell).value
    if value is None:
        words = f"> {format_count(measure.beyond(cell))}" if measure.is_time else "-"
    else:
        words = f"{value:.2f}" if measure.is_share else number_words(value)
    return Square(places[0], places[1], value, words)


def _check_distinct(fields: Fields, chosen: Sequence[int], squares: Sequence[Square]) -> None:
    for places in groups([(square.column, square.row) for square in squares]):
        if len(places) > 1:
            folders = " and ".join(str(fields.cells[chosen[place]].folder) for place in places[:2])
            raise ConfigurationError(f"two results have one place in the heat map: {folders}")


def _colours(measure: Measure, cells: Sequence[MeasuredCell]) -> tuple[Normalize, Colormap]:
    """Times on a logarithmic scale, shares from 0 to 1; the better end is the bright one."""
    import matplotlib
    from matplotlib.colors import LogNorm, Normalize

    colours = matplotlib.colormaps[matplotlib.rcParams["image.cmap"]]
    if measure.better == LOWER:
        colours = colours.reversed()
    if measure.is_share:
        return Normalize(0, 1), colours
    known = [value for cell in cells if (value := measure.of(cell).value) is not None]
    low, high = (min(known), max(known)) if known else (1.0, 1.0)
    if measure.is_time and low > 0:
        return LogNorm(low / 1.05, high * 1.05) if low == high else LogNorm(low, high), colours
    return linear(low, high), colours


def _note(
    picture: Picture, fields: Fields, index: int, paths: Sequence[str], measure: Measure
) -> None:
    cell = fields.cells[index]
    estimate = measure.of(cell)
    own = {fields.column(path): fields.values(path)[index] for path in (*paths, *fields.paths)}
    labels = {"task": cell.record.task, "model": cell.record.model}
    picture.note(
        labels,
        {
            **{name: value for name, value in own.items() if name not in labels},
            measure.name: estimate.value,
            f"{measure.name}_low": estimate.low,
            f"{measure.name}_high": estimate.high,
            **({"beyond": measure.beyond(cell)} if measure.is_time else {}),
        },
    )
