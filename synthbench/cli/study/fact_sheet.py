"""Everything about a paper study, as `synthbench show` sets it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.markup import escape

from synthbench.cli.fact_sheet import fact, heading
from synthbench.plan.study.file import StudyFile
from synthbench.plan.study.measured_file import MeasuredFile

if TYPE_CHECKING:
    from rich.console import Console

    from synthbench.plan.paper_study import PaperFigure, PaperStudy, StatedClaim


ENCODED = ("x", "y", "value", "group", "score")
"""What a figure may say of its picture beside the kind."""


def print_study_sheet(console: Console, study: PaperStudy, named: str) -> None:
    """Its paper, grids, figures, claims and departures; named: as a command takes it."""
    heading(console, "study", study.name, f"{study.title}\n\n{study.summary.strip()}")
    fact(console, "paper", study.paper)
    fact(console, "file", str(study.path))
    for name, grid in study.grids.items():
        size = "" if grid.full == grid.small else "; larger with --full"
        what = _cells(grid.small)
        fact(console, "grid", f"{name}: {'; '.join(what)}{size}{_after(grid.says)}")
    for figure in study.figures:
        fact(console, "figure", _figure(study, figure))
    for claim in study.claims:
        fact(console, "claim", _claim(study, claim))
    for departure in study.departures:
        fact(console, "departure", " ".join(departure.split()))
    command = f"synthbench study run {shlex.quote(named)}"
    console.print(f"\nrun it: {escape(command)}", style="dim", soft_wrap=True)


def _cells(grid: StudyFile | MeasuredFile) -> Sequence[str]:
    """What is trained or measured, how often and how long, as the file says it."""
    if isinstance(grid, MeasuredFile):
        return [*grid.measurements, f"seeds={grid.seeds}"]
    protocol = " ".join(f"{field}={value}" for field, value in grid.protocol.items())
    named = [*grid.tasks, *grid.models] or [grid.suite or ""]
    return [*named, protocol] if protocol else named


def _figure(study: PaperStudy, figure: PaperFigure) -> str:
    given = [f"{key}={value}" for key in ENCODED if (value := getattr(figure, key)) is not None]
    where = [f"where {figure.where}"] if figure.where is not None else []
    what = " ".join([figure.kind, *given, *(figure.probes or ()), *where])
    return f"{what}{_on(study, figure)}{_after(figure.source)}: {' '.join(figure.caption.split())}"


def _claim(study: PaperStudy, claim: StatedClaim) -> str:
    says, quantity = (" ".join(text.split()) for text in (claim.says, claim.quantity))
    return f"{says}{_after(claim.source)}: {quantity} {claim.holds}{_on(study, claim)}"


def _on(study: PaperStudy, part: PaperFigure | StatedClaim) -> str:
    return f" on {', '.join(study.grids_of(part))}" if len(study.grids) > 1 else ""


def _after(text: str) -> str:
    return f" ({' '.join(text.split())})" if text else ""
