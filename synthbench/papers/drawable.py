"""Whether the figures of a study can be drawn of what its grids will train, before they do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from synthbench.engine.inspection.task import score_names
from synthbench.errors import UnknownNameError, did_you_mean
from synthbench.papers.measuring import MeasuredGrid
from synthbench.papers.running import AnyGrid
from synthbench.plan.cell import Cell
from synthbench.plan.paper_study import PaperFigure, PaperStudy, located_in
from synthbench.results.cell_fields import NAMES
from synthbench.results.fields import plan_fields
from synthbench.results.varying import own_name

FIELDS = ("x", "y", "group")


def check_figures(study: PaperStudy, grids: Mapping[str, AnyGrid]) -> None:
    """Raise UnknownNameError, with the line, for a field or a score that no cell will have.

    grids: those that are to be trained; figures of others are not looked at.
    """
    for place, figure in enumerate(study.figures):
        (name,) = study.grids_of(figure)
        grid = grids.get(name)
        if grid is None or isinstance(grid, MeasuredGrid):
            continue
        for key in (*FIELDS, "score"):
            try:
                _check(figure, key, grid.cells)
            except UnknownNameError as error:
                raise located_in(study, ("figures", place, key), error) from None


def _check(figure: PaperFigure, key: str, cells: Sequence[Cell]) -> None:
    named = getattr(figure, key)
    if named is None:
        return
    if key in FIELDS:
        known = dict.fromkeys(name for cell in cells for name in _names(cell))
        _refuse(named, [*known, *NAMES], "field")
        return
    by_task = {cell.task.label(): cell for cell in cells}
    for cell in by_task.values():
        _refuse(named, score_names(cell), "score")


def _names(cell: Cell) -> list[str]:
    """Every name of a field of a cell: its path, its own, and a recipe's as one of the model."""
    paths = [path for path, _ in plan_fields(cell.plan())]
    of_model = [f"model.{own_name(path)}" for path in paths if path.startswith("recipe.")]
    return [*map(own_name, paths), *paths, *of_model]


def _refuse(name: str, known: Sequence[str], what: str) -> None:
    if name not in known:
        listed = f" (scores: {', '.join(known)})" if what == "score" else ""
        raise UnknownNameError(f'no {what} "{name}"{did_you_mean(name, known)}{listed}')
