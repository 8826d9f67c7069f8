"""Where the words of a picture go: titles over their panels, legends below, nothing on top."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.text import Text
    from matplotlib.transforms import Transform

POINTS = 72.0
"""Points in an inch."""
EDGE = 4.0
"""Points that stay free at the right edge of a panel."""
FEW = 4
"""Entries of a legend up to which they stand under one another."""
WHOLE = re.compile(r"\[[^\]]*\]|[<>=] \S+|p (?=[<=])")
"""What is not torn apart: intervals, bounds, p-values."""
LEADING = 1.2
"""From one line of text to the next, in heights of letters."""


def lay_out(figure: Figure) -> None:
    """Move the panels to where they will be drawn, without drawing anything."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)


def wrap_name(label: Text, room: float) -> int:
    """Wrap an axis' name to `room` points, first before its unit; lines beyond the first."""
    words, font = label.get_text(), label.get_fontproperties()
    if text_width(words, font) > room:
        words = words.replace(" (", "\n(", 1)
    label.set_text(wrapped(words, room, font))
    return label.get_text().count("\n")


def wrapped(words: str, width: float, font: FontProperties) -> str:
    """Lines of at most `width` points; `> 640k` and `[1.2k, 2k]` stay whole, longer words do not.

    A line break that is there already is kept.
    """
    kept = WHOLE.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), words)
    lines = [part for line in kept.split("\n") for part in _lines(line, width, font)]
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")


def text_width(words: str, font: FontProperties) -> float:
    """Width of one line of text in points."""
    from matplotlib.textpath import text_to_path

    return float(text_to_path.get_text_width_height_descent(words, font, False)[0])


def spread(places: NDArray[np.float64], gap: float, low: float, high: float) -> NDArray[np.float64]:
    """Places (n,), in the same order, at least `gap` apart and within low..high if that can be.

    They move as little as they can, by least squares: an isotonic regression.
    """
    from scipy.optimize import isotonic_regression

    order = np.argsort(places, kind="stable")
    steps = gap * np.arange(len(places))
    free = isotonic_regression(places[order] - steps).x
    moved = np.empty(len(places))
    moved[order] = np.clip(free, low, max(high - steps[-1], low)) + steps
    return moved


def _lines(line: str, width: float, font: FontProperties) -> list[str]:
    found = [""]
    for word in line.split(" "):
        longer = f"{found[-1]} {word}".strip(" ")
        if found[-1] and text_width(longer, font) > width:
            found.append(word)
        else:
            found[-1] = longer
        while text_width(found[-1], font) > width and len(found[-1]) > 1:
            most = _fitting(found[-1], width, font)
            found[-1:] = [found[-1][:most], found[-1][most:]]
    return found


def _fitting(word: str, width: float, font: FontProperties) -> int:
    """How many of its letters fit; one at least."""
    return max([n for n in range(1, len(word)) if text_width(word[:n], font) <= width], default=1)


def row_of(axes: Axes) -> int:
    """The row of panels that it is in."""
    place = axes.get_subplotspec()
    return 0 if place is None else place.rowspan.start


def in_points(axes: Axes, pixels: float) -> float:
    """Pixels of a figure in points."""
    return pixels * POINTS / axes.figure.dpi


def _sides(axes: Axes) -> tuple[float, float]:
    """Pixels of the left and right edges of a panel, what is between it and the next included."""
    root = axes.get_figure(root=True)
    assert root is not None
    place = axes.get_subplotspec()
    if place is None:
        return axes.bbox.x0, root.bbox.width
    columns = place.get_gridspec().ncols
    left, right = place.colspan.start / columns, place.colspan.stop / columns
    edge = EDGE * root.dpi / POINTS
    return root.bbox.width * left + edge, root.bbox.width * right - edge


def wrap_words(axes: Axes, bars: Sequence[Axes]) -> float:
    """Wrap title and axis names; points that the further lines need above and below."""
    title = axes.title if axes.title.get_text() else axes._left_title  # type: ignore[attr-defined]
    # A bar may go past the title, and its highest number stands out above it.
    beside = [bar.bbox.x0 for bar in bars if bar.bbox.y1 > axes.bbox.y1 - 1 > bar.bbox.y0]
    right = min([_sides(axes)[1], *(edge for edge in beside if edge > axes.bbox.x0)])
    room = in_points(axes, right - axes.bbox.x0)
    title.set_text(wrapped(title.get_text(), room, title.get_fontproperties()))
    lines = title.get_text().count("\n")
    lines += wrap_name(axes.xaxis.label, in_points(axes, axes.bbox.width))
    wrap_name(axes.yaxis.label, in_points(axes, axes.bbox.height))
    return lines * LEADING * float(axes.xaxis.label.get_fontsize())


def place_legend(axes: Axes) -> float:
    """Put a legend below the axis' name, from the left edge of the panel; its height in points."""
    from matplotlib import rcParams
    from matplotlib.font_manager import FontProperties

    handles, labels = axes.get_legend_handles_labels()
    if not handles:
        return 0.0
    font = FontProperties(size=rcParams["legend.fontsize"])
    size = font.get_size_in_points()
    below = axes.xaxis.get_tightbbox()
    assert below is not None
    left, right = _sides(axes)
    room = in_points(axes, right - left)
    mark = size * (rcParams["legend.handlelength"] + rcParams["legend.handletextpad"])
    widest = mark + max(text_width(label, font) for label in labels)
    between = size * rcParams["legend.columnspacing"]
    columns = 1
    if len(labels) > FEW:
        columns = int(np.clip((room + between) // (widest + between), 1, len(labels)))
    labels = [wrapped(label, room - mark, font) for label in labels]
    gap = in_points(axes, axes.bbox.y0 - below.y0) + size / 2
    box = axes.legend(
        handles, labels, loc="upper left", bbox_to_anchor=(0, 0), borderaxespad=0, borderpad=0,
        bbox_transform=_below(axes, left, gap), ncols=columns,
    )  # fmt: skip
    for text in box.get_texts():
        # A label may contain what matplotlib would read as a formula.
        text.set_parse_math(False)
    return in_points(axes, box.get_window_extent().height) + size / 2


def _below(axes: Axes, left: float, gap: float) -> Transform:
    """A place `left` pixels from the figure's edge and `gap` points below the panel.

    Neither shrinks with the panel.
    """
    from matplotlib.transforms import Affine2D, ScaledTranslation, blended_transform_factory

    figure = axes.get_figure(root=True)
    assert figure is not None
    along = Affine2D().translate(left / figure.bbox.width, 0) + figure.transFigure
    down = axes.transAxes + ScaledTranslation(0, -gap / POINTS, figure.dpi_scale_trans)
    return blended_transform_factory(along, down)
