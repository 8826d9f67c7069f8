"""Whether the claims of a study can be judged by what its grids will train, before they do."""

from __future__ import annotations

from collections.abc import Mapping

from synthbench.claims.named_columns import named_columns
from synthbench.errors import SynthbenchError
from synthbench.papers.expected_columns import ExpectedColumns
from synthbench.papers.measuring import MeasuredGrid
from synthbench.papers.running import AnyGrid
from synthbench.plan.paper_study import PaperStudy, located_in


def check_claims(study: PaperStudy, grids: Mapping[str, AnyGrid]) -> None:
    """Raise, with the line, for a column in a claim that no replica of its grid will have.

    What `ExpectedColumns.check` raises. grids: those that are to be trained; claims about others
    are not looked at, nor those about measurements, whose columns are known when they are there.
    """
    expected = {
        name: ExpectedColumns(grid.cells)
        for name, grid in grids.items()
        if not isinstance(grid, MeasuredGrid)
    }
    for place, claim in enumerate(study.claims):
        for name in study.grids_of(claim):
            if name not in expected:
                continue
            for column in named_columns(claim.quantity):
                try:
                    expected[name].check(column)
                except SynthbenchError as error:
                    raise located_in(study, ("claims", place, "quantity"), error) from None
