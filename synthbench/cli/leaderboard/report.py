"""`synthbench leaderboard report`: leaderboards as a Weights & Biases report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from synthbench.cli.completion import complete_suite
from synthbench.cli.eval import wandb_reference
from synthbench.cli.leaderboard.flags import BOARDS, Boards
from synthbench.cli.surroundings import watched
from synthbench.errors import ConfigurationError


def report_command(
    wandb: Annotated[str, typer.Option(metavar="ENTITY/PROJECT", help="Where the report goes.")],
    suite: Annotated[
        list[str] | None,
        typer.Argument(help="Suites, in this order; default: all.", autocompletion=complete_suite),
    ] = None,
    boards: Boards = BOARDS,
    title: Annotated[
        str | None, typer.Option(help="A report of ours with this title is updated.")
    ] = None,
    site_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Published pages of the leaderboards.")
    ] = None,
    dry_run: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the report here as JSON; needs no account."),
    ] = None,
) -> None:
    """Publish leaderboards as a Weights & Biases report, or update the one that is there."""
    from rich.console import Console
    from rich.markup import escape

    from synthbench.leaderboard.reporting import BoardReporter
    from synthbench.leaderboard.standings.placing import read_board
    from synthbench.records.atomic import write_atomically
    from synthbench.registry.kinds import SUITE
    from synthbench.registry.registry import installed

    if site_url is not None and not site_url.startswith(("https://", "http://")):
        raise ConfigurationError(f"--site-url must be https://..., got {site_url!r}")
    registry = installed()
    tracker = registry.tracker(wandb_reference(wandb))
    if not isinstance(tracker, BoardReporter):
        raise ConfigurationError(f'tracker "{tracker.name}" does not make leaderboard reports')
    chosen = [registry.suite(name) for name in suite or sorted(registry.names(SUITE))]
    heading = title or (
        f"SynthBench leaderboard: {', '.join(suite)}" if suite else "SynthBench leaderboards"
    )
    console = Console(highlight=False)
    if dry_run is None:
        tracker.check()
    with watched(console).status("reading submissions"):
        found = [read_board(each, boards) for each in chosen]
    if dry_run is not None:
        content = json.dumps(tracker.report(found, heading, site_url), indent=2)
        write_atomically(dry_run, (content + "\n").encode())
        address = str(dry_run)
    else:
        with watched(console).status("publishing"):
            address = tracker.publish(found, heading, site_url)
    console.print(escape(address), soft_wrap=True)
