"""Grey lines at what simple strategies score, named beside the panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from synthbench.results.figures.layout import LEADING, POINTS, spread
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.style import GREY

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation

BESIDE = 7.0
"""Points from the panel to the names."""


def draw_levels(picture: Picture, axes: Axes, levels: Mapping[str, float]) -> None:
    """A dotted line at each level, a dashed one at the target, named at the right of the panel.

    Names of lines that lie close are spread, each with a thin line to its own.
    """
    from matplotlib import rcParams

    names = []
    for name, level in levels.items():
        style = "--" if name.startswith("target") else ":"
        axes.axhline(level, color=GREY, linestyle=style, linewidth=0.9, zorder=0)
        names.append(
            axes.annotate(
                name, (1.0, level), xycoords=("axes fraction", "data"), xytext=(BESIDE, 0),
                textcoords="offset points", ha="left", va="center", color=GREY,
                fontsize=rcParams["legend.fontsize"], parse_math=False, annotation_clip=False,
            )
        )  # fmt: skip
    picture.later(partial(_spread_names, axes, names, list(levels.values())))


def _spread_names(axes: Axes, names: Sequence[Annotation], levels: Sequence[float]) -> None:
    """Part names that would lie on one another, and lead a line from each level to its own."""
    pixels = axes.figure.dpi / POINTS
    wanted = np.array([axes.transData.transform((1.0, level))[1] for level in levels])
    line = float(names[0].get_fontsize()) * LEADING * pixels
    box = axes.bbox
    moved = spread(wanted, line, box.y0 + line / 2, box.y1 - line / 2)
    back = axes.get_yaxis_transform().inverted()
    for name, start, end in zip(names, wanted, moved, strict=True):
        name.xyann = (BESIDE, float((end - start) / pixels))
        ends = [(box.x1 + pixels, start), (box.x1 + (BESIDE - 1) * pixels, end)]
        leader = axes.plot(
            *back.transform(ends).T, transform=axes.get_yaxis_transform(), color=GREY,
            linewidth=0.5, linestyle="-", marker="", clip_on=False, scalex=False, scaley=False,
        )  # fmt: skip
        leader[0].set_in_layout(False)
