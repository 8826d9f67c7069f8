"""`synthbench leaderboard publish`: submissions as a dataset repository on the Hub."""

from __future__ import annotations

from typing import Annotated

import typer

from synthbench.cli.leaderboard.flags import BOARDS, Boards, Suites, chosen_suites
from synthbench.cli.surroundings import watched


def publish_command(
    hub: Annotated[
        str, typer.Option(metavar="USER/NAME", help="A dataset repository; made if need be.")
    ],
    suites: Suites = None,
    boards: Boards = BOARDS,
    private: Annotated[
        bool, typer.Option("--private", help="Where the repository is made, make it private.")
    ] = False,
) -> None:
    """Publish leaderboards and their submissions as a dataset on the Hugging Face Hub.

    What is there stays: new submissions are added in one commit, with a card from which
    `datasets.load_dataset` knows every part. Log in first: `hf auth login`.
    """
    from rich.console import Console
    from rich.markup import escape

    from synthbench.leaderboard.hub.repository import HubRepository

    repository = HubRepository(hub)

    from synthbench.leaderboard.hub.publishing import publish_boards

    chosen = chosen_suites(suites)
    console = Console(highlight=False)
    with watched(console).status("reading submissions") as status:
        done = publish_boards(repository, chosen, boards, private, status.update)
    for left in done.left_out:
        console.print(
            f"[yellow]left out:[/] {escape(f'{left.where}: {left.reason}')}", soft_wrap=True
        )
    for place in done.new:
        console.print(f"{place.suite}: {place.name}", style="dim")
    for place in done.fresh:
        console.print(f"{place.suite}: {place.name}: its result on fresh seeds", style="dim")
    there = f", {len(done.there)} there already" if done.there else ""
    fresh = f", {len(done.fresh)} results on fresh seeds" if done.fresh else ""
    console.print(f"{len(done.new)} published{fresh}{there}")
    if done.address:
        console.print(escape(done.address), soft_wrap=True)
