"""Whether the figures of a study can be drawn of what its grids will train, before they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synthbench.engine.inspection.task import score_names
from synthbench.errors import SynthbenchError, UnknownNameError, did_you_mean
from synthbench.papers.expected_columns import ExpectedColumns
from synthbench.papers.measuring import MeasuredGrid
from synthbench.papers.running import AnyGrid
from synthbench.plan.cell import Cell
from synthbench.plan.paper_study import PaperFigure, PaperStudy, located_in
from synthbench.results.figures.measures import ALIASES
from synthbench.results.table.condition import columns_of

FIELDS = ("x", "y", "group")


def check_figures(study: PaperStudy, grids: Mapping[str, AnyGrid]) -> None:
    """Raise UnknownNameError, with the line, for a field or a number that no cell will have.

    Or a score, or a column of a condition. grids: those that are to be trained; figures of others
    are not looked at.
    """
    for place, figure in enumerate(study.figures):
        (name,) = study.grids_of(figure)
        grid = grids.get(name)
        if grid is None or isinstance(grid, MeasuredGrid):
            continue
        for key in (*FIELDS, "score", "value", "where"):
            try:
                _check(figure, key, grid.cells)
            except SynthbenchError as error:
                raise located_in(study, ("figures", place, key), error) from None


def _check(figure: PaperFigure, key: str, cells: Sequence[Cell]) -> None:
    named = getattr(figure, key)
    if named is None:
        return
    expected = ExpectedColumns(cells)
    if key in FIELDS:
        expected.check_field(named)
    elif key == "value":
        expected.check_number(ALIASES.get(named, named))
    elif key == "where":
        for column in columns_of(named):
            expected.check_of_configuration(column)
    else:
        by_task = {cell.task.label(): cell for cell in cells}
        for cell in by_task.values():
            _check_score(named, score_names(cell))


def _check_score(name: str, known: Sequence[str]) -> None:
    if name not in known:
        raise UnknownNameError(
            f'no score "{name}"{did_you_mean(name, known)} (scores: {", ".join(known)})'
        )
