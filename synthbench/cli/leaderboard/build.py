"""`synthbench leaderboard build`: the leaderboards as a web site."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthbench.cli.leaderboard.flags import BOARDS, Boards, Suites, chosen_suites
from synthbench.cli.leaderboard.set_aside import say_refused
from synthbench.cli.study.left_out import say_left_out, say_unreadable

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from synthbench.leaderboard.site import Section


def build_command(
    suites: Suites = None,
    boards: Boards = BOARDS,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the site.")] = Path("site"),
    studies: Annotated[
        Path | None,
        typer.Option(
            metavar="RUNS",
            help="Beside the boards, reports of the paper studies whose results are kept in RUNS.",
        ),
    ] = None,
) -> None:
    """Build a web site of leaderboards: static pages that need no server and no network."""
    from rich.console import Console
    from rich.markup import escape

    from synthbench.cli.stage_progress import stage_progress
    from synthbench.leaderboard.site import build_site
    from synthbench.leaderboard.site.writing import check_replaceable
    from synthbench.leaderboard.standings.placing import read_board

    console = Console(highlight=False)
    chosen = chosen_suites(suites)
    check_replaceable(out)
    with stage_progress(console) as progress:
        judging = progress.stage("judging, drawing paper studies")
        sections = [] if studies is None else [_paper_studies(studies, console, judging)]
        found = [
            read_board(suite, boards, progress.stage(f"reading {suite.name}")) for suite in chosen
        ]

        def show(suite: str, done: int, pages: int) -> None:
            progress.stage(f"writing {suite}")(done, pages)

        index = build_site(found, out, show, sections)
    for board in found:
        refused = f", {len(board.refused)} set aside" if board.refused else ""
        count = f"{len(board.entries)} submission{'s' * (len(board.entries) != 1)}"
        console.print(f"{board.suite.name}: {count}{refused}", style="dim")
        say_refused(console, board)
    console.print(f"open {escape(str(index))}", soft_wrap=True)


def _paper_studies(runs: Path, console: Console, progress: Callable[[int, int], None]) -> Section:
    """The gallery of their reports."""
    from synthbench.leaderboard.site import Section
    from synthbench.papers.report.gallery import gallery_pages
    from synthbench.papers.report.several import all_reports

    reports = all_reports(runs, partial(say_left_out, console), progress)
    say_unreadable(console, (line for report in reports for line in report.left_out))
    claims = sum(len(report.claims) for report in reports)
    says = f"{claims} claims of {len(reports)} studies, each with its interval and a verdict"
    return Section("Paper studies", says, "paper-studies", gallery_pages(reports, "../"))
