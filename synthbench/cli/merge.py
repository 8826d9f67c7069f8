"""`synthbench merge A B --to C`: results of several people or machines in one folder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthbench.cli.surroundings import watched


def merge_command(
    folders: Annotated[
        list[Path], typer.Argument(help="Folders that `synthbench eval` has written.")
    ],
    to: Annotated[Path, typer.Option("--to", help="A new folder for all of them.")],
    prefer: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="The one that is right where two of them differ."),
    ] = None,
) -> None:
    """Put the finished cells of several folders into a new one, each configuration once."""
    from rich.console import Console
    from rich.markup import escape

    from synthbench.results.merging import merge

    console = Console()
    with watched(console).status("reading"):
        merged = merge(folders, to, prefer)
    lines = [
        f"{to}: {_counted(merged.copied + merged.joined, 'cell')}, "
        f"{merged.joined} of them joined from several folders"
    ]
    if merged.held:
        lines.append(f"{_counted(merged.held, 'cell')} left out, which another holds whole")
    lines += [f"passed over for {prefer}: {folder}" for folder in merged.passed_over]
    unfinished = sum(1 for root in folders for _ in root.rglob(".partial/state.json"))
    if unfinished:
        lines.append(f"{_counted(unfinished, 'unfinished run')} not taken; finish them first")
    for line in lines:
        console.print(escape(line), soft_wrap=True, highlight=False)


def _counted(count: int, what: str) -> str:
    return f"{count} {what}{'s' * (count != 1)}"
