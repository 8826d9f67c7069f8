"""Finished cells for a command, by `--score`: another score than the ranked one."""

from __future__ import annotations

import sys
from collections.abc import Sequence
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


def read_cells(runs: Sequence[Path], score: str | None) -> list[MeasuredCell]:
    """The finished cells in some folders, by the score that was asked for.

    Each counts once, and what is left out is named on stderr: what cannot be read, a copy, or a
    part of another.
    """
    with without_collection():
        from synthbench.results.lying import read_cells as lying_in
        from synthbench.results.measured_cell import MeasuredCell
        from synthbench.results.results import Results, each_once

    # A folder may lie below another.
    cells, places = dict[Path, MeasuredCell](), dict[Path, int]()
    unreadable: dict[str, None] = {}
    for place, run in enumerate(runs):
        for cell in lying_in(run, lambda each: unreadable.setdefault(str(each))):
            cells.setdefault(cell.folder.resolve(), cell)
            places.setdefault(cell.folder, place)
    for line in unreadable:
        print(f"warning: {line}", file=sys.stderr)
    found = each_once(list(cells.values()))
    kept = {cell.folder for cell in found}
    _say_what_is_left_out([c.folder for c in cells.values() if c.folder not in kept])
    found = Results(sorted(found, key=lambda cell: places[cell.folder]))
    return (found if score is None else found.scored_by(score)).measured


def _say_what_is_left_out(folders: Sequence[Path]) -> None:
    if not folders:
        return
    others = f" and {len(folders) - 1} more" if len(folders) > 1 else ""
    print(
        f"note: not counted twice: {folders[0]}{others}, whose replicas another folder holds too",
        file=sys.stderr,
    )
