"""How every picture looks: colours, panels and axes."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from matplotlib.transforms import Transform

# Okabe & Ito 2008: told apart by colour-blind readers; the line styles and markers by
# greyscale ones.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P")
GREY = "0.35"
SAMPLES = "training samples per replica"
TITLE_WIDTH, LEGEND_WIDTH = 62, 96
"""Characters of a title that fit over one panel, and of a legend below it."""
LEGEND_GAP = 36.0
"""Points from the axis to the legend: ticks, their numbers and the axis' name."""


def colour(index: int) -> str:
    """Colour of the model with this index."""
    return COLOURS[index % len(COLOURS)]


def line_style(index: int) -> str:
    """Line style of the model with this index."""
    return STYLES[index % len(STYLES)]


def marker(index: int) -> str:
    """Marker of the model with this index."""
    return MARKERS[index % len(MARKERS)]


def make_panels(count: int, most: int = 3) -> tuple[Figure, list[Axes]]:
    """A figure with `count` panels, at most `most` beside one another."""
    from synthbench.results.figures.inline_figure import InlineFigure

    columns = min(count, most)
    rows = -(-count // columns)
    figure = InlineFigure(figsize=(7.2 * columns, 4.8 * rows), dpi=150, layout="constrained")
    panels = list(figure.subplots(rows, columns, squeeze=False).flatten())
    for panel in panels[count:]:
        panel.remove()
    return figure, panels[:count]


def finish(axes: Axes, title: str, *, legend: bool = True, columns: int = 1) -> None:
    """Set the title, drop the frame, and put the legend below, where it hides nothing.

    columns: of the legend.
    """
    # A label may contain what matplotlib would read as a formula.
    axes.set_title(wrapped(title, TITLE_WIDTH), loc="left", fontweight="bold", parse_math=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if legend:
        box = axes.legend(
            loc="upper left", bbox_to_anchor=(0, 0), bbox_transform=_below(axes), frameon=False,
            fontsize=8.5, borderaxespad=0, ncols=columns,
        )  # fmt: skip
        for text in box.get_texts():
            text.set_parse_math(False)
            text.set_text(wrapped(text.get_text(), LEGEND_WIDTH // columns))


def tick_whole_numbers(axis: Axis) -> None:
    """No tick between two replicas, or between two places of a curve."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator("auto", integer=True))


def wrapped(words: str, width: int) -> str:
    """Lines that stay within their own panel; `> 640k` is not torn apart."""
    kept = words.replace("> ", ">\N{NO-BREAK SPACE}").split("\n")
    lines = [part for line in kept for part in textwrap.wrap(line, width)]
    return "\n".join(lines).replace("\N{NO-BREAK SPACE}", " ")


def _below(axes: Axes) -> Transform:
    """Coordinates of the axes moved down by the gap, which does not shrink with the panel."""
    from matplotlib.transforms import ScaledTranslation

    down = ScaledTranslation(0, -LEGEND_GAP / 72, axes.figure.dpi_scale_trans)
    return axes.transAxes + down
