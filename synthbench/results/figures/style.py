"""How every picture looks: colours, panels, axes, and how it is written."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from synthbench.records.atomic import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito 2008: told apart by colour-blind readers; the line styles and markers by
# greyscale ones.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
STYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P")
GREY = "0.35"
SAMPLES = "training samples per replica"


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
    axes.set_title(title, loc="left", fontweight="bold", parse_math=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    if legend:
        box = axes.legend(
            loc="upper left", bbox_to_anchor=(0, -0.13), frameon=False, fontsize=8.5,
            borderaxespad=0, ncols=columns,
        )  # fmt: skip
        for text in box.get_texts():
            text.set_parse_math(False)


def save_figure(figure: Figure, paths: Sequence[Path]) -> None:
    """Write a figure to each path, atomically, in the format of its suffix."""
    for path in paths:
        buffer = BytesIO()
        figure.savefig(buffer, format=path.suffix[1:])
        write_atomically(path, buffer.getvalue())
