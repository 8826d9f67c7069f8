"""`synthbench study report STUDY`: a page about what is kept of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthbench.cli.completion import complete_study
from synthbench.cli.importing import without_collection
from synthbench.cli.study.arguments import Full, Runs
from synthbench.errors import ConfigurationError

if TYPE_CHECKING:
    from synthbench.papers.kept import KeptStudy


def report_command(
    studies: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="STUDY|FILE.toml",
            help="Paper studies: see `synthbench study list`; or files of them.",
            autocompletion=complete_study,
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every installed study of which something is run.")
    ] = False,
    full: Full = False,
    runs: Runs = Path("runs"),
    out: Annotated[
        Path, typer.Option("--out", "-o", help="Folder for the reports, each in one of its own.")
    ] = Path("reports"),
) -> None:
    """Write a report of each study, in HTML and Markdown, from what is kept; nothing is trained.

    A page beside them, OUT/index.html, leads to all that are named.
    """
    from rich.console import Console
    from rich.markup import escape

    if bool(studies) == every:
        raise ConfigurationError("name the studies to report, or say --all (synthbench study list)")
    with without_collection():
        from synthbench.papers.report.content import report_content
        from synthbench.papers.report.gallery import write_gallery

    console = Console(highlight=False)
    named = list(dict.fromkeys(studies or []))
    kept = _kept(named, runs, full)
    reports = [report_content(each, name) for name, each in kept.items()]
    index = write_gallery(reports, out)
    for report in reports:
        counts = ", ".join(f"{count} {verdict}" for _, verdict, count in report.counts)
        console.print(escape(f"{report.study.name}: {counts or 'no claims'}"), style="dim")
    page = out / reports[0].study.name / index.name if len(reports) == 1 else index
    console.print(f"open {escape(str(page))}", soft_wrap=True)


def _kept(named: list[str], runs: Path, full: bool) -> dict[str, KeptStudy]:
    """What is kept of the studies that are named, or of all of which anything is."""
    from synthbench.papers.kept import kept_study
    from synthbench.papers.reading import find_paper_study
    from synthbench.registry.kinds import STUDY
    from synthbench.registry.registry import installed

    if named:
        return {name: kept_study(find_paper_study(name), runs, full=full) for name in named}
    found = {
        name: kept_study(find_paper_study(name), runs, full=full)
        for name in sorted(installed().names(STUDY))
    }
    kept = {name: study for name, study in found.items() if not study.is_empty}
    if not kept:
        raise ConfigurationError(
            f"nothing of any study is run in {runs}; first: synthbench study run STUDY"
        )
    return kept
