"""Pictures of finished cells, by kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from synthbench.errors import ConfigurationError, UnknownNameError, did_you_mean
from synthbench.results.figures.curves import draw_curves
from synthbench.results.figures.learning_curves import draw_learning_curves
from synthbench.results.figures.probes import draw_probes
from synthbench.results.figures.random_search import draw_random_search
from synthbench.results.figures.rendering import save_figure
from synthbench.results.figures.scaling import draw_scaling
from synthbench.results.figures.survival import draw_survival
from synthbench.results.figures.test_sets import draw_test_sets
from synthbench.results.figures.transition_raster import draw_transition_raster
from synthbench.results.measured_cell import MeasuredCell

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DRAWN_BY: Mapping[str, Callable[[Sequence[MeasuredCell]], Figure]] = {
    "learning-curves": draw_learning_curves,
    "survival": draw_survival,
    "transition-raster": draw_transition_raster,
    "random-search": draw_random_search,
    "probes": draw_probes,
    "test-sets": draw_test_sets,
    "curves": draw_curves,
    "scaling": draw_scaling,
}
KINDS = tuple(DRAWN_BY)
DEFAULT_KIND = "learning-curves"
PICTURE_FILE = "learning_curves.png"


def draw(cells: Sequence[MeasuredCell], kind: str, against: str | None = None) -> Figure:
    """Draw finished cells.

    kind: one of `KINDS`. against: for "scaling", the field on the horizontal axis. Raises
    UnknownNameError for another kind, NothingToDrawError when these cells hold nothing of it.
    """
    if kind not in KINDS:
        raise UnknownNameError(
            f'unknown kind "{kind}"{did_you_mean(kind, KINDS)} (kinds: {", ".join(KINDS)})'
        )
    if against is not None and kind != "scaling":
        raise ConfigurationError(f'only the kind "scaling" takes a field, not "{kind}"')
    return draw_scaling(cells, against) if kind == "scaling" else DRAWN_BY[kind](cells)


def save_default_picture(cells: Sequence[MeasuredCell], folder: Path) -> None:
    """The picture that lies in every run folder."""
    save_figure(draw(cells, DEFAULT_KIND), [folder / PICTURE_FILE])
