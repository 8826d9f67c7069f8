"""Where a picture is drawn: its size, its style, or axes that are there already."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from synthbench.errors import ConfigurationError
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.style import look

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTHS = {"column": 3.25, "page": 6.75}
"""Inches of one column of a two-column paper, and of both."""
LEAST, MOST = 1.0, 60.0
"""Inches that a side may have."""
SCREEN = (7.2, 4.1)
"""Inches of a panel on a screen."""
LEAST_PANEL = 3.0
"""Inches below which panels are put under one another."""


@dataclass(frozen=True)
class Canvas:
    """Where a picture is drawn.

    size: "column" (3.25 inches wide) or "page" (6.75), as high as it needs; "5x3", or (5, 3), in
    inches; None: that of `rcParams["figure.figsize"]` where the user has set it, else as a screen
    shows it. style: a style sheet of matplotlib, by its name or its file. ax: axes to draw into,
    for kinds that have one panel. Raises ConfigurationError for another size.
    """

    size: str | tuple[float, float] | None = None
    style: str | None = None
    ax: Axes | None = None

    def __post_init__(self) -> None:
        if self.size is not None and self.ax is not None:
            raise ConfigurationError("axes have a size already; give either size or ax")
        _ = self._sides

    @property
    def _sides(self) -> tuple[float, float | None] | None:
        """Width and height in inches; no height where it is free, None where both are."""
        if self.size is None:
            return None
        if isinstance(self.size, str) and self.size in WIDTHS:
            return WIDTHS[self.size], None
        if isinstance(self.size, str):
            found = re.fullmatch(r"(\d+\.?\d*|\.\d+)x(\d+\.?\d*|\.\d+)", self.size)
            sides = tuple(map(float, found.groups())) if found else ()
        else:
            sides = tuple(self.size)
        if len(sides) != 2 or not all(LEAST <= side <= MOST for side in sides):
            raise ConfigurationError(
                f'size "{self.size}" is none: column (3.25 inches wide), page (6.75), or '
                f"WIDTHxHEIGHT in inches, each of {LEAST:g} to {MOST:g}, such as 5x3"
            )
        return sides[0], sides[1]

    @contextmanager
    def look(self) -> Iterator[None]:
        """Settings of matplotlib while the picture is drawn and written."""
        with look(paper=self.size is not None, style=self.style):
            yield

    def picture(self, count: int, *, most: int = 3, highest: float = np.inf) -> Picture:
        """A picture with `count` empty panels, at most `most` beside one another.

        highest: inches that a panel needs at most, where the height is free. Raises
        ConfigurationError where the axes that were given are not enough.
        """
        if self.ax is not None:
            if count != 1:
                raise ConfigurationError(
                    f"this picture has {count} panels, and ax= takes one; draw fewer results, "
                    "such as those of one task, or leave ax out"
                )
            figure = self.ax.get_figure(root=True)
            if figure is None:
                raise ConfigurationError("these axes are in no figure")
            return Picture(figure, [self.ax], grows=False)
        from matplotlib import rcParams, rcParamsDefault

        from synthbench.results.figures.inline_figure import InlineFigure

        width, height = self._sides or (None, None)
        if self.size is None and rcParams["figure.figsize"] != rcParamsDefault["figure.figsize"]:
            width, height = rcParams["figure.figsize"]
        fitting = most if width is None else max(1, int(width // LEAST_PANEL))
        columns = min(count, most, fitting)
        rows = -(-count // columns)
        panel = SCREEN[0] if width is None else width / columns
        high = min(SCREEN[1] if width is None else _height(panel), highest)
        figure = InlineFigure(
            figsize=(panel * columns, high * rows if height is None else height),
            layout="constrained",
        )
        panels = list(figure.subplots(rows, columns, squeeze=False).flatten())
        for axes in panels[count:]:
            axes.remove()
        return Picture(figure, panels[:count], grows=height is None)


def _height(width: float) -> float:
    """Inches of a panel on paper without its legend: the wider, the flatter."""
    return 1.6 + 0.27 * width
