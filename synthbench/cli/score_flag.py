"""`--score`: metrics and pictures by another score than the ranked one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthbench.cli.importing import without_collection

if TYPE_CHECKING:
    from synthbench.results.measured_cell import MeasuredCell

Score = Annotated[
    str | None,
    typer.Option(
        "--score",
        metavar="NAME[@SET]",
        help="Of this score, such as accuracy@length-80; default: the ranked one.",
    ),
]


def read_cells(run: Path, score: str | None) -> list[MeasuredCell]:
    """The finished cells in a folder, by the score that was asked for."""
    with without_collection():
        from synthbench.results.results import read_results

    found = read_results(run)
    return (found if score is None else found.scored_by(score)).measured
