"""Ticks that say numbers as the tables do, and do not run into one another."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from synthbench.metrics.formatting import format_count
from synthbench.results.figures.layout import POINTS, text_width

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis

    from synthbench.results.figures.picture import Picture

SUBDIVISIONS = (tuple(range(1, 10)), (1, 2, 3, 5), (1, 2, 5), (1, 3))
"""Digits at which a decade may have ticks, most of them first."""
LETTERS = 3.2
"""Height of letters by which the ticks of a horizontal axis are apart, at least."""
LINES = 1.8
"""The same of a vertical axis."""


def tick_whole_numbers(axis: Axis) -> None:
    """No tick between two replicas, or between two places of a curve."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", integer=True))


def tick_counts(
    picture: Picture, axes: Axes, which: str, words: Callable[[float], str] = format_count
) -> None:
    """A logarithmic axis, "x" or "y", with ticks such as 5k and 1.2M; marks at all digits.

    words: how a number is written.
    """
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    _tick(axes, which, words)
    picture.later(partial(_tick, axes, which, words))


def _tick(axes: Axes, which: str, words: Callable[[float], str]) -> None:
    """As many ticks as there is room for now."""
    from matplotlib.ticker import FixedLocator, LogLocator, NullFormatter

    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = sorted(axis.get_view_interval())
    size = float(axis.get_ticklabels()[0].get_fontsize())
    length, apart = (axes.bbox.width, LETTERS) if which == "x" else (axes.bbox.height, LINES)
    share = apart * size / (length * POINTS / axes.figure.dpi)
    axis.set_major_locator(FixedLocator(count_ticks(low, high, share * np.log10(high / low))))
    axis.set_major_formatter(lambda value, _: words(value))
    axis.set_minor_locator(LogLocator(subs=SUBDIVISIONS[0]))
    axis.set_minor_formatter(NullFormatter())


def count_ticks(low: float, high: float, apart: float) -> list[float]:
    """Round numbers from low to high on a logarithmic axis, two at least if that can be.

    apart: decades that are between two of them at the least.

    >>> count_ticks(900, 40_000, 0.3)
    [1000.0, 2000.0, 5000.0, 10000.0, 20000.0]
    >>> count_ticks(1, 1e9, 2.5)
    [1.0, 1000.0, 1000000.0, 1000000000.0]
    """
    decades = range(math.floor(math.log10(low)), math.floor(math.log10(high)) + 1)
    for digits in SUBDIVISIONS:
        every = [digit * 10.0**decade for decade in decades for digit in digits]
        inside = [tick for tick in every if low * (1 - 1e-9) <= tick <= high * (1 + 1e-9)]
        if len(inside) > 1 and np.diff(np.log10([*digits, 10])).min() >= apart:
            return inside
    whole = [10.0**decade for decade in decades if low <= 10.0**decade <= high]
    if len(whole) > 1:
        return whole[:: int(np.ceil(apart))]
    return _between(low, high, apart)


def _between(low: float, high: float, apart: float) -> list[float]:
    """Round numbers of a short stretch, which holds few digits of a decade."""
    from matplotlib.ticker import MaxNLocator

    found: list[float] = []
    most = max(int(np.log10(high / low) / apart), 1)
    for tick in MaxNLocator(most, steps=[1, 2, 5, 10]).tick_values(low, high):
        inside = low <= tick <= high
        if inside and (not found or np.log10(tick / found[-1]) >= apart):
            found.append(float(tick))
    return found


def tick_values(axis: Axis, places: Sequence[float], labels: Sequence[str]) -> None:
    """One tick for each value, named by it, and none between."""
    from matplotlib.ticker import NullLocator

    axis.set_ticks(list(places), list(labels))
    axis.set_minor_locator(NullLocator())


def thin_labels(axes: Axes) -> None:
    """Leave out the names of ticks that run into the one before; the ticks themselves stay."""
    end = -np.inf
    labels = axes.xaxis.get_ticklabels()
    names = [label.get_text() for label in labels]
    for index, label in enumerate(labels):
        if not names[index]:
            continue
        centre = axes.transData.transform((label.get_position()[0], 0))[0]
        width = text_width(names[index], label.get_fontproperties())
        half = width * axes.figure.dpi / POINTS / 2
        if centre - half < end:
            names[index] = ""
            continue
        end = centre + half + 2 * axes.figure.dpi / POINTS
    axes.xaxis.set_ticks(axes.get_xticks(), names)
