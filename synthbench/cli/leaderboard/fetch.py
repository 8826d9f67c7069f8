"""`synthbench leaderboard fetch`: what others have published on the Hub."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer

from synthbench.cli.leaderboard.flags import BOARDS, Boards, Suites, chosen_suites
from synthbench.cli.surroundings import watched


def fetch_command(
    hub: Annotated[str, typer.Option(metavar="USER/NAME", help="A dataset repository.")],
    suites: Suites = None,
    boards: Boards = BOARDS,
    revision: Annotated[
        str | None, typer.Option(help="A branch, tag or commit; default: the newest.")
    ] = None,
) -> None:
    """Fetch submissions from the Hugging Face Hub into LEADERBOARDS/SUITE/submissions.

    Each is checked as a board checks it before it appears there, and replaces nothing. Then
    `show`, `build` and `verify` take them like any other.
    """
    from rich.console import Console
    from rich.markup import escape

    from synthbench.leaderboard.hub.repository import HubRepository

    repository = HubRepository(hub, revision)

    from synthbench.leaderboard.hub.fetching import fetch_boards

    chosen = {suite.name: suite for suite in chosen_suites(suites)}
    console = Console(highlight=False)
    counts: Counter[str] = Counter()
    with watched(console).status(f"fetching from {hub}"):
        for one in fetch_boards(repository, chosen, boards, every=suites is None):
            counts[one.outcome] += 1
            if one.outcome == "fetched":
                console.print(escape(f"{boards / one.place.path}"), soft_wrap=True)
            elif one.outcome == "set aside":
                line = f"[yellow]set aside:[/] {escape(f'{one.place.path}: {one.reason}')}"
                console.print(line, soft_wrap=True)
    fresh = f", {counts['fresh']} with a result on fresh seeds" if counts["fresh"] else ""
    there = f", {counts['there already']} there already" if counts["there already"] else ""
    aside = f", {counts['set aside']} set aside" if counts["set aside"] else ""
    console.print(f"{counts['fetched']} fetched{fresh}{there}{aside}")
