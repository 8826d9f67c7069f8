"""Pictures of finished cells, by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from synthbench.errors import ConfigurationError, UnknownNameError, did_you_mean
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.curves import draw_curves
from synthbench.results.figures.encoding import Encoding
from synthbench.results.figures.heatmap import draw_heatmap
from synthbench.results.figures.learning_curves import draw_learning_curves
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.probes import draw_probes
from synthbench.results.figures.random_search import draw_random_search
from synthbench.results.figures.raster import draw_raster
from synthbench.results.figures.rendering import explained, save_figure
from synthbench.results.figures.scaling import draw_scaling
from synthbench.results.figures.survival import draw_survival
from synthbench.results.figures.test_sets import draw_test_sets
from synthbench.results.figures.tuning import draw_tuning
from synthbench.results.measured_cell import MeasuredCell

Plain: TypeAlias = Callable[[Sequence[MeasuredCell], Canvas], Picture]
Encoded: TypeAlias = Callable[[Sequence[MeasuredCell], Canvas, Encoding], Picture]

PLAIN: Mapping[str, Plain] = {
    "learning-curves": draw_learning_curves,
    "survival": draw_survival,
    "raster": draw_raster,
    "random-search": draw_random_search,
    "test-sets": draw_test_sets,
    "curves": draw_curves,
    "tuning": draw_tuning,
}
ENCODED: Mapping[str, tuple[Encoded, tuple[str, ...]]] = {
    "heatmap": (draw_heatmap, ("x", "y", "value")),
    "scaling": (draw_scaling, ("x", "value", "group")),
    "probes": (draw_probes, ("probes",)),
}
"""Kinds that show what one chooses, and what one may choose."""
ALIASES = {"transition-raster": "raster"}
"""Names that kinds once had."""
KINDS = (*PLAIN, *ENCODED)
DEFAULT_KIND = "learning-curves"
PICTURE_FILE = "learning_curves.png"


def draw(
    cells: Sequence[MeasuredCell],
    kind: str,
    canvas: Canvas | None = None,
    encoding: Encoding | None = None,
) -> Picture:
    """Draw finished cells.

    kind: one of `KINDS`. Raises UnknownNameError for another kind, field or number,
    ConfigurationError for what the kind does not take, NothingToDrawError when these cells hold
    nothing of it.
    """
    canvas, encoding = canvas or Canvas(), encoding or Encoding()
    check_taken(encoding, [kind])
    name = ALIASES.get(kind, kind)
    with canvas.look():
        if name in ENCODED:
            picture = ENCODED[name][0](cells, canvas, encoding)
        else:
            picture = PLAIN[name](cells, canvas)
        with explained():
            return picture.settle()


def taken_by(kind: str) -> tuple[str, ...]:
    """What of an encoding a kind shows; raises UnknownNameError for another kind."""
    name = ALIASES.get(kind, kind)
    if name not in KINDS:
        raise UnknownNameError(
            f'unknown kind "{kind}"{did_you_mean(kind, KINDS)} (kinds: {", ".join(KINDS)})'
        )
    return ENCODED[name][1] if name in ENCODED else ()


def check_taken(encoding: Encoding, kinds: Sequence[str]) -> None:
    """Raise ConfigurationError for what was asked for and none of the kinds shows.

    Raises UnknownNameError for a kind that is none.
    """
    taken = {name for kind in kinds for name in taken_by(kind)}
    for name in encoding.asked:
        if name not in taken:
            takers = [kind for kind, (_, fields) in ENCODED.items() if name in fields]
            instead = f", not with {' or '.join(kinds)}" if kinds else "; name it"
            raise ConfigurationError(f"{name} goes with the kind {' or '.join(takers)}{instead}")


def save_default_picture(cells: Sequence[MeasuredCell], folder: Path) -> None:
    """The picture that lies in every run folder."""
    save_figure(draw(cells, DEFAULT_KIND).figure, [folder / PICTURE_FILE])
