"""`synthbench study report STUDY`: a page about what is kept of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthbench.cli.completion import complete_study
from synthbench.cli.importing import without_collection
from synthbench.cli.study.arguments import Full, Runs
from synthbench.errors import ConfigurationError, SynthbenchError


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
        from synthbench.papers.kept import kept_study
        from synthbench.papers.reading import find_paper_study
        from synthbench.papers.report.content import report_content
        from synthbench.papers.report.gallery import write_gallery
        from synthbench.registry.kinds import STUDY
        from synthbench.registry.registry import installed

    console = Console(highlight=False)
    named = list(dict.fromkeys(studies or []))
    reports = []
    for name in named or sorted(installed().names(STUDY)):
        try:
            kept = kept_study(find_paper_study(name), runs, full=full)
            if named or not kept.is_empty:
                reports.append(report_content(kept, name))
        except SynthbenchError as error:
            if named:
                raise
            # One study that cannot be judged keeps the others from no page.
            console.print(f"[yellow]left out:[/] {escape(f'{name}: {error}')}", soft_wrap=True)
    if not reports:
        raise ConfigurationError(
            f"nothing of any study is run in {runs}; first: synthbench study run STUDY"
        )
    index = write_gallery(reports, out)
    for report in reports:
        counts = ", ".join(f"{count} {verdict}" for _, verdict, count in report.counts)
        console.print(escape(f"{report.study.name}: {counts or 'no claims'}"), style="dim")
    page = out / reports[0].study.name / index.name if len(reports) == 1 else index
    console.print(f"open {escape(str(page))}", soft_wrap=True)
