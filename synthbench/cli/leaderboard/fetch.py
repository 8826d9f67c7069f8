"""`synthbench leaderboard fetch`: what others have published on the Hub."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from synthbench.cli.completion import complete_suite


def fetch_command(
    hub: Annotated[str, typer.Option(metavar="USER/NAME", help="A dataset repository.")],
    suites: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SUITE", help="Default: every suite.", autocompletion=complete_suite
        ),
    ] = None,
    boards: Annotated[Path, typer.Option(help="Folder of the leaderboards.")] = Path(
        "leaderboards"
    ),
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
    from synthbench.registry.kinds import SUITE
    from synthbench.registry.registry import installed

    names = list(dict.fromkeys(suites or installed().names(SUITE)))
    chosen = {name: installed().suite(name) for name in names}
    console = Console(highlight=False)
    counts: Counter[str] = Counter()
    with console.status(f"fetching from {hub}"):
        for one in fetch_boards(repository, chosen, boards, every=suites is None):
            counts[one.outcome] += 1
            if one.outcome == "fetched":
                console.print(escape(f"{boards / one.place.path}"), soft_wrap=True)
            elif one.outcome == "set aside":
                line = f"[yellow]set aside:[/] {escape(f'{one.place.path}: {one.reason}')}"
                console.print(line, soft_wrap=True)
    there = f", {counts['there already']} there already" if counts["there already"] else ""
    aside = f", {counts['set aside']} set aside" if counts["set aside"] else ""
    console.print(f"{counts['fetched']} fetched{there}{aside}")
