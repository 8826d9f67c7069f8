"""Whether the figures of a study can be drawn of what its grids will train, before they do."""

from __future__ import annotations

from collections.abc import Mapping

from synthbench.errors import SynthbenchError
from synthbench.papers.expected_columns import ExpectedColumns
from synthbench.plan.paper_study import PaperFigure, PaperStudy, located_in
from synthbench.results.figures.measures import ALIASES
from synthbench.results.table.condition import columns_of

FIELDS = ("x", "y", "group")


def check_figures(study: PaperStudy, expected: Mapping[str, ExpectedColumns]) -> None:
    """Raise UnknownNameError, with the line, for a field or a number that no cell will have.

    Or a score, or a column of a condition. expected: of the grids that are to be trained; figures
    of others are not looked at.
    """
    for place, figure in enumerate(study.figures):
        (name,) = study.grids_of(figure)
        if name not in expected:
            continue
        for key in (*FIELDS, "score", "value", "where"):
            try:
                _check(figure, key, expected[name])
            except SynthbenchError as error:
                raise located_in(study, ("figures", place, key), error) from None


def _check(figure: PaperFigure, key: str, expected: ExpectedColumns) -> None:
    named = getattr(figure, key)
    if named is None:
        return
    if key in FIELDS:
        expected.check_field(named)
    elif key == "value":
        expected.check_number(ALIASES.get(named, named))
    elif key == "where":
        for column in columns_of(named):
            expected.check_of_configuration(column)
    else:
        expected.check_score(named)
