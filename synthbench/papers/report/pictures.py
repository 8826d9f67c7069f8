"""The figures of a paper study, drawn from what is kept of its grids."""

from __future__ import annotations

from dataclasses import dataclass
from struct import unpack

from synthbench.errors import (
    ConfigurationError,
    NothingToDrawError,
    NothingToShowError,
    UnknownNameError,
)
from synthbench.measurements.figures import draw_measured
from synthbench.papers.kept import AnyKept, KeptMeasurements, KeptStudy
from synthbench.papers.reading import encoding_of
from synthbench.plan.paper_study import PaperFigure, located_in
from synthbench.results.figures import draw
from synthbench.results.figures.canvas import Canvas
from synthbench.results.figures.picture import Picture
from synthbench.results.figures.rendering import rendered
from synthbench.results.table.chosen_table import chosen_cells
from synthbench.results.table.selection import Selection

DPI = 130
"""Of the pictures of a page."""
WIDE = 2
"""Times its height is a picture wide that has several panels."""


@dataclass(frozen=True)
class ReportPicture:
    """A figure of the study, of one of its grids.

    stem: of the names of its files. png, svg: their contents; empty where nothing could be drawn,
    for the reason `absent`. seeds: of each cell of the grid, `32` or `16 to 32`.
    """

    figure: PaperFigure
    grid: str
    stem: str
    png: bytes = b""
    svg: bytes = b""
    absent: str = ""
    seeds: str = ""

    @property
    def is_wide(self) -> bool:
        """Whether it has panels beside one another, and needs a page's whole width."""
        width, height = unpack(">II", self.png[16:24]) if self.png else (1, 1)
        return bool(width > WIDE * height)


def drawn_figures(kept: KeptStudy) -> list[ReportPicture]:
    """Every figure in the order of the file.

    Raises a SynthbenchError, with the line, for a field, a number or a condition that the results
    do not know.
    """
    return [_placed(kept, place, figure) for place, figure in enumerate(kept.study.figures)]


def _placed(kept: KeptStudy, place: int, figure: PaperFigure) -> ReportPicture:
    try:
        return _drawn(figure, f"figure-{place + 1}", kept.of(figure)[0])
    except (ConfigurationError, UnknownNameError) as error:
        raise located_in(kept.study, ("figures", place), error) from None


def _drawn(figure: PaperFigure, stem: str, kept: AnyKept) -> ReportPicture:
    if not len(kept.results):
        return ReportPicture(figure, kept.name, stem, absent=kept.absent)
    canvas = Canvas()
    try:
        with canvas.look():
            picture = _picture(figure, kept, canvas).figure
            png, svg = (rendered(picture, kind, DPI) for kind in ("png", "svg"))
    except (NothingToDrawError, NothingToShowError) as error:
        return ReportPicture(figure, kept.name, stem, absent=str(error))
    return ReportPicture(figure, kept.name, stem, png, svg, seeds=kept.seeds_text)


def _picture(figure: PaperFigure, kept: AnyKept, canvas: Canvas) -> Picture:
    if isinstance(kept, KeptMeasurements):
        return draw_measured(kept.results, figure.kind, figure.where, canvas, encoding_of(figure))
    results = kept.results if figure.score is None else kept.results.scored_by(figure.score)
    cells = chosen_cells(results.measured, Selection(where=figure.where))
    if not cells:
        raise NothingToShowError(f"no configuration meets {figure.where}")
    return draw(cells, figure.kind, canvas, encoding_of(figure))
