"""Charts as SVG text: a frame that is drawn once, and marks to put into it.

Colours, widths and dashes are in the style sheet; a mark has class names only. Thousands of
charts are made for one board, so everything here is string building. All text is escaped.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from synthbench.leaderboard.site.axis import Axis

Array = NDArray[np.float64]

WIDTH, HEIGHT = 460, 300
LEFT, TOP, BOTTOM = 52, 14, 46
RIGHT_BARE, RIGHT_LABELLED = 14, 78
POINTS = 60
"""Most points of a line: more cannot be told apart at this size."""
FEW = 3
"""With more marks than this, bands are fainter."""
LINE_HEIGHT = 12.0


@dataclass(frozen=True)
class Frame:
    """The axes of a chart.

    levels: (value, name) of horizontal dotted lines, named at the right.
    """

    x: Axis
    y: Axis
    x_label: str
    y_label: str
    x_tick: Callable[[float], str]
    y_tick: Callable[[float], str]
    levels: tuple[tuple[float, str], ...] = ()

    @cached_property
    def svg(self) -> str:
        """Grid, ticks, labels and levels."""
        left, right = self.x.start, self.x.end
        bottom, top = self.y.start, self.y.end
        parts = [f'<path class="axis" d="M{left:g} {top:g}V{bottom:g}H{right:g}"/>']
        for value in self.x.ticks():
            at = self.x.at(value)
            parts.append(f'<path class="grid" d="M{at:.1f} {bottom:g}V{top:g}"/>')
            parts.append(_text(at, bottom + 16, self.x_tick(value), "mid"))
        for value in self.y.ticks(5):
            at = self.y.at(value)
            parts.append(f'<path class="grid" d="M{left:g} {at:.1f}H{right:g}"/>')
            parts.append(_text(left - 6, at + 4, self.y_tick(value), "end"))
        parts.append(_text((left + right) / 2, HEIGHT - 8, self.x_label, "mid name"))
        middle = (top + bottom) / 2
        parts.append(
            f'<text class="mid name" transform="translate(13 {middle:g}) rotate(-90)">'
            f"{escape(self.y_label)}</text>"
        )
        heights = [self.y.at(value) for value, _ in self.levels]
        for (_, name), at, where in zip(self.levels, heights, apart(heights), strict=True):
            short = name if len(name) <= 13 else f"{name[:12]}…"
            parts.append(f'<path class="level" d="M{left:g} {at:.1f}H{right:g}"/>')
            parts.append(_text(right + 5, where + 4, short, "level-name"))
        return "".join(parts)


def make_frame(
    x: tuple[float, float],
    y: tuple[float, float],
    labels: tuple[str, str],
    ticks: tuple[Callable[[float], str], Callable[[float], str]],
    logarithmic: tuple[bool, bool],
    levels: Sequence[tuple[float, str]] = (),
) -> Frame:
    """A frame of the usual size; every pair is for x and y."""
    right = WIDTH - (RIGHT_LABELLED if levels else RIGHT_BARE)
    return Frame(
        Axis(*x, LEFT, right, logarithmic[0]),
        Axis(*y, HEIGHT - BOTTOM, TOP, logarithmic[1]),
        *labels,
        *ticks,
        tuple(levels),
    )


def chart(frame: Frame, title: str, marks: Sequence[str], *, linked: bool = False) -> Markup:
    """A whole chart. title: what it shows, for those who do not see it.

    linked: it holds links, which a plain image hides from a screen reader.
    """
    role = "group" if linked else "img"
    css = "chart many" if len(marks) > FEW else "chart"
    # Every part is escaped where it is made.
    return Markup(
        f'<svg class="{css}" viewBox="0 0 {WIDTH} {HEIGHT}" role="{role}" '
        f'aria-label="{escape(title)}">{frame.svg}{"".join(marks)}</svg>'
    )


@dataclass(frozen=True)
class Picture:
    """A chart that is not written yet.

    title: what it shows, for those who do not see it. links: the marks as links to pages, for the
    page alone: a file of its own leads nowhere.
    """

    frame: Frame
    title: str
    marks: tuple[str, ...]
    links: tuple[str, ...] = ()

    @property
    def is_crowded(self) -> bool:
        """Whether bands must be fainter."""
        return len(self.marks) > FEW

    def inline(self) -> Markup:
        """The chart in a page."""
        return chart(self.frame, self.title, self.links or self.marks, linked=bool(self.links))


def line(frame: Frame, xs: Array, ys: Array, css: str, title: str = "") -> str:
    """A line through finite points; xs, ys: (E,)."""
    keep = thinned(np.isfinite(ys))
    if not len(keep):
        return ""
    points = _points(frame.x.place(xs[keep]), frame.y.place(ys[keep]))
    return f'<path class="line {css}" d="M{points}">{_title(title)}</path>'


def band(frame: Frame, xs: Array, low: Array, high: Array, css: str) -> str:
    """The area between two lines; all (E,)."""
    keep = thinned(np.isfinite(low) & np.isfinite(high))
    if not len(keep):
        return ""
    across = frame.x.place(xs[keep])
    up = _points(across, frame.y.place(high[keep]))
    down = _points(across[::-1], frame.y.place(low[keep])[::-1])
    return f'<path class="band {css}" d="M{up}L{down}Z"/>'


def stairs(frame: Frame, xs: Array, ys: Array, css: str, title: str = "") -> str:
    """A line that keeps each value until the next x."""
    steps = _points(*corners(frame.x.place(xs), frame.y.place(ys)))
    return f'<path class="line {css}" d="M{steps}">{_title(title)}</path>'


def stairs_band(frame: Frame, xs: Array, low: Array, high: Array, css: str) -> str:
    """The area between two stairs."""
    across = frame.x.place(xs)
    up = _points(*corners(across, frame.y.place(high)))
    columns, rows = corners(across, frame.y.place(low))
    return f'<path class="band {css}" d="M{up}L{_points(columns[::-1], rows[::-1])}Z"/>'


def point(x: float, y: float, css: str, *, square: bool = False) -> str:
    """A mark at a place of the picture: a circle, or a square on its corner."""
    if square:
        return f'<path class="point {css}" d="M{x:.1f} {y - 5.6:.1f}l5.6 5.6l-5.6 5.6l-5.6-5.6z"/>'
    return f'<circle class="point {css}" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>'


def link(mark: str, href: str, title: str, *, focusable: bool) -> str:
    """A mark that leads somewhere; title: its tooltip and name."""
    skip = "" if focusable else ' tabindex="-1"'
    return f'<a href="{escape(href)}"{skip}>{_title(title)}{mark}</a>'


def thinned(usable: NDArray[np.bool_], most: int = POINTS) -> NDArray[np.intp]:
    """Indices of usable points, evenly spaced where there are more than `most`."""
    found = np.flatnonzero(usable)
    if len(found) <= most:
        return found
    return np.asarray(found[np.linspace(0, len(found) - 1, most).round().astype(int)])


def corners(xs: Array, ys: Array) -> tuple[Array, Array]:
    """The corners of stairs through points: (2 E - 1,) each."""
    return np.repeat(xs, 2)[1:], np.repeat(ys, 2)[:-1]


def apart(heights: Sequence[float], least: float = LINE_HEIGHT) -> list[float]:
    """Heights of labels, moved down until no two are closer than `least`."""
    moved = dict.fromkeys(range(len(heights)), 0.0)
    previous = float("-inf")
    for index in sorted(moved, key=lambda i: heights[i]):
        previous = max(heights[index], previous + least)
        moved[index] = previous
    return [moved[index] for index in range(len(heights))]


def _points(xs: Array, ys: Array) -> str:
    # A path's numbers need no more than a tenth of a picture unit.
    flat = np.stack([xs, ys], axis=1).ravel().tolist()
    return ("%.1f %.1f " * len(xs))[:-1] % tuple(flat)


def _text(x: float, y: float, text: str, css: str) -> str:
    return f'<text class="{css}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>" if text else ""
