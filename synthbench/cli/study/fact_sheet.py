"""Everything about a paper study, as `synthbench show` sets it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from synthbench.cli.fact_sheet import fact, heading
from synthbench.plan.study.file import StudyFile
from synthbench.plan.study.measured_file import MeasuredFile

if TYPE_CHECKING:
    from rich.console import Console

    from synthbench.plan.paper_study import PaperStudy, StatedClaim


def print_study_sheet(console: Console, study: PaperStudy) -> None:
    """Its paper, grids, figures, claims and departures."""
    heading(console, "study", study.name, f"{study.title}\n\n{study.summary.strip()}")
    fact(console, "paper", study.paper)
    fact(console, "file", str(study.path))
    for name, grid in study.grids.items():
        size = "" if grid.full == grid.small else "; larger with --full"
        what = _cells(grid.small)
        fact(console, "grid", f"{name}: {'; '.join(what)}{size}{_after(grid.says)}")
    for figure in study.figures:
        caption = " ".join(figure.caption.split())
        fact(console, "figure", f"{figure.kind}{_after(figure.source)}: {caption}")
    for claim in study.claims:
        fact(console, "claim", _claim(study, claim))
    for departure in study.departures:
        fact(console, "departure", " ".join(departure.split()))
    console.print(f"\nrun it: synthbench study run {study.name}", style="dim", soft_wrap=True)


def _cells(grid: StudyFile | MeasuredFile) -> Sequence[str]:
    """What is trained or measured, as the file says it."""
    if isinstance(grid, MeasuredFile):
        return grid.measurements
    return [*grid.tasks, *grid.models] or [grid.suite or ""]


def _claim(study: PaperStudy, claim: StatedClaim) -> str:
    on = f" on {', '.join(study.grids_of(claim))}" if len(study.grids) > 1 else ""
    says = " ".join(claim.says.split())
    return f"{says}{_after(claim.source)}: {claim.quantity} {claim.holds}{on}"


def _after(text: str) -> str:
    return f" ({' '.join(text.split())})" if text else ""
