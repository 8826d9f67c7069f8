"""`synthbench study report STUDY`: a page about what is kept of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from synthbench.cli.completion import complete_study
from synthbench.cli.importing import without_collection
from synthbench.cli.study.arguments import RUNS, Full, Runs, runs_flag
from synthbench.cli.study.left_out import say_left_out, say_not_drawn, say_unreadable
from synthbench.errors import ConfigurationError


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
    runs: Runs = RUNS,
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
        from synthbench.cli.stage_progress import stage_progress
        from synthbench.papers.kept import kept_study
        from synthbench.papers.reading import find_paper_study
        from synthbench.papers.report.content import report_content
        from synthbench.papers.report.gallery import write_gallery
        from synthbench.papers.report.several import all_reports

    console = Console(highlight=False)
    if studies:
        named = {name: find_paper_study(name) for name in studies}
        flags = runs_flag(runs)
        reports = [
            report_content(kept_study(study, runs, full=full), name, flags=flags)
            for name, study in named.items()
        ]
    else:
        with stage_progress(console) as stages:
            left_out = partial(say_left_out, console)
            reports = all_reports(runs, left_out, stages.stage("judging, drawing"), full=full)
    index = write_gallery(reports, out)
    for report in reports:
        say_unreadable(console, report.left_out)
        say_not_drawn(console, report)
        counts = ", ".join(f"{count} {verdict}" for _, verdict, count in report.counts)
        console.print(escape(f"{report.study.name}: {counts or 'no claims'}"), style="dim")
    page = out / reports[0].study.name / index.name if len(reports) == 1 else index
    console.print(f"open {escape(str(page))}", soft_wrap=True)
