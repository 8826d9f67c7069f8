"""Squares of a map over two fields: their colours, the numbers in them, and the bar beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from synthbench.metrics.formatting import format_count
from synthbench.results.cell_fields import value_words
from synthbench.results.fields import Value
from synthbench.results.figures.axis_names import field_name
from synthbench.results.figures.layout import POINTS, text_width
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.ticks import count_ticks, thin_labels, tick_values

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap, Normalize

UNKNOWN = "0.88"
"""Grey of what lies beyond the budget, hatched, or is not defined."""
SMALLEST = 6.0
"""Points of the smallest letters in a cell; where they do not fit, there are none."""


@dataclass(frozen=True)
class Square:
    """One place of the map: a cell that was trained, its number, and how that is written."""

    column: int
    row: int
    value: float | None
    words: str


class Side(NamedTuple):
    """A field along the map, and its values in order."""

    field: str
    values: Sequence[Value]


def number_words(value: float) -> str:
    """How a number stands in its square."""
    return f"{value:.2f}" if abs(value) < 1 and value % 1 else format_count(value)


def linear(low: float, high: float) -> Normalize:
    """Colours from one number to another, or around one where both are the same."""
    from matplotlib.colors import Normalize

    return Normalize(low - 0.5, high + 0.5) if low == high else Normalize(low, high)


def highest(rows: int) -> float:
    """Inches of a panel whose rows are three lines high, beside a bar with room for its name."""
    from matplotlib import rcParams

    return float((14 + 3.2 * rows) * rcParams["font.size"] / POINTS)


def draw_map(
    picture: Picture,
    axes: Axes,
    squares: Sequence[Square],
    sides: tuple[Side, Side],
    ink: tuple[Normalize, Colormap],
    title: str,
) -> None:
    """One panel: its squares, the numbers in them, and what stands beside them.

    sides: columns and rows. ink: what colour a number has.
    """
    columns, rows = sides
    _draw_squares(axes, squares, *ink)
    tick_values(axes.xaxis, range(len(columns.values)), list(map(value_words, columns.values)))
    tick_values(axes.yaxis, range(len(rows.values)), list(map(value_words, rows.values)))
    axes.set_xlim(-0.5, len(columns.values) - 0.5)
    axes.set_ylim(-0.5, len(rows.values) - 0.5)
    axes.set_xlabel(field_name(columns.field), parse_math=False)
    axes.set_ylabel(field_name(rows.field), parse_math=False)
    picture.finish(axes, title, legend=False)
    picture.later(partial(thin_labels, axes))
    picture.later(partial(_write_numbers, axes, squares, *ink))


def _draw_squares(
    axes: Axes, squares: Sequence[Square], norm: Normalize, colours: Colormap
) -> None:
    """Fill every square: grey where nothing is known, hatched where that lies beyond the budget."""
    from matplotlib.patches import Rectangle

    for square in squares:
        axes.add_patch(
            Rectangle(
                (square.column - 0.5, square.row - 0.5), 1, 1,
                facecolor=UNKNOWN if square.value is None else colours(norm(square.value)),
                hatch="///" if square.words.startswith(">") else None,
                edgecolor="white", linewidth=0.6,
            )
        )  # fmt: skip


def draw_bar(picture: Picture, norm: Normalize, colours: Colormap, name: str) -> None:
    """What the colours mean; name: of what they are."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm

    bar = picture.bar(ScalarMappable(norm, colours), picture.panels, name)
    if isinstance(norm, LogNorm):
        assert norm.vmin is not None and norm.vmax is not None
        ticks = count_ticks(norm.vmin, norm.vmax, np.log10(norm.vmax / norm.vmin) / 8)
        bar.set_ticks(ticks, labels=[format_count(tick) for tick in ticks])
        bar.minorticks_off()


def _write_numbers(
    axes: Axes, squares: Sequence[Square], norm: Normalize, colours: Colormap
) -> None:
    """Write all numbers where all of them fit, in black on bright and in white on dark."""
    from matplotlib.font_manager import FontProperties

    unit = axes.transData.transform([(0, 0), (1, 1)])
    width, height = (unit[1] - unit[0]) * POINTS / axes.figure.dpi
    size = min(axes.xaxis.get_ticklabels()[0].get_fontsize(), height / 1.5)
    widest = max(text_width(square.words, FontProperties(size=size)) for square in squares)
    size *= min(1.0, 0.88 * width / widest)
    if size < SMALLEST:
        return
    for square in squares:
        ground = (1.0, 1.0, 1.0, 1.0) if square.value is None else colours(norm(square.value))
        # Rec. 709 luma.
        bright = float(np.dot(ground[:3], (0.2126, 0.7152, 0.0722))) > 0.45
        axes.text(
            square.column, square.row, square.words, fontsize=size, ha="center", va="center",
            color="black" if bright else "white",
        )  # fmt: skip
