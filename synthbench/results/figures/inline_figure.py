"""A figure that shows itself in a notebook, once."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from matplotlib.figure import Figure

from synthbench.results.figures.rendering import rendered
from synthbench.results.figures.style import look

SCREEN_DPI = 100
COLOURS = 64


class InlineFigure(Figure):
    """A matplotlib figure that needs no pyplot to be shown.

    Pyplot would show it a second time at the end of the cell, and keep it for ever. Where
    pyplot is in use, its own way of showing a figure replaces this one.
    """

    def savefig(self, fname: Any, *, transparent: bool | None = None, **options: Any) -> None:
        """Write it as `Figure.savefig` does, with text as text where the user has no other wish."""
        with look():
            super().savefig(fname, transparent=transparent, **options)

    def _repr_png_(self) -> bytes:
        return screen_png(self)


def screen_png(figure: Figure) -> bytes:
    """A picture for the screen, in few colours so that notebooks stay small."""
    from PIL import Image

    whole, small = BytesIO(rendered(figure, "png", SCREEN_DPI)), BytesIO()
    Image.open(whole).convert("RGB").quantize(COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()
