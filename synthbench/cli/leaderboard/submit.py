"""`synthbench leaderboard submit RUN`: pack a run of a suite into a submission."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from synthbench.errors import ConfigurationError


class TrackName(StrEnum):
    """The tracks of every board."""

    fixed = "fixed-recipe"
    tuned = "tuned"


def submit_command(  # noqa: PLR0913 - one parameter per flag
    run: Annotated[Path, typer.Argument(help="A folder that `synthbench eval SUITE` has written.")],
    author: Annotated[
        list[str] | None, typer.Option("--author", "-a", help="Who submits; repeatable.")
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Where the run holds several models.")
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="Folder name of the submission; default: the model's.")
    ] = None,
    title: Annotated[str | None, typer.Option(help="One line; default: the model.")] = None,
    description: Annotated[str, typer.Option(help="What is new about it.")] = "",
    link: Annotated[str | None, typer.Option(help="Paper or code, https://...")] = None,
    track: Annotated[TrackName, typer.Option(help="See leaderboards/RULES.md.")] = TrackName.fixed,
    trials: Annotated[
        list[Path] | None,
        typer.Option(
            help="Tuned track: what `synthbench tune` wrote, or a folder of everything that was "
            "tried; repeatable."
        ),
    ] = None,
    boards: Annotated[Path, typer.Option(help="Folder of the leaderboards.")] = Path(
        "leaderboards"
    ),
) -> None:
    """Check a finished run of a suite and pack it into LEADERBOARDS/SUITE/submissions/NAME."""
    from rich.console import Console
    from rich.markup import escape

    from synthbench.leaderboard.submissions.architecture import architecture_of
    from synthbench.leaderboard.submissions.packing import Wording, choose_cells, find_suite, pack
    from synthbench.leaderboard.submissions.tuning_trials import count_trials
    from synthbench.results.lying import read_cells

    if not author:
        raise ConfigurationError("say who submits: --author 'Ada Lovelace'")
    if (track is TrackName.tuned) != bool(trials):
        raise ConfigurationError(
            "--track tuned and --trials FOLDER (everything that was tried) go together"
        )
    cells = read_cells(run)
    suite = find_suite(cells, run)
    chosen = choose_cells(cells, suite, track.value, model)
    label = chosen[0].record.model
    wording = Wording(
        name or re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")[:64].strip("-"),
        title or label,
        tuple(author),
        description,
        link,
    )
    architecture = architecture_of(chosen[0].record.model_plan)
    counted = count_trials(trials or [], suite, architecture)
    found = pack(chosen, suite, wording, track.value, counted, boards)
    console = Console(highlight=False)
    console.print(f"{escape(str(found.folder))}: {len(chosen)} cells, checked", soft_wrap=True)
    console.print(
        f"next: synthbench leaderboard show {suite.name}; synthbench leaderboard verify "
        f"{escape(str(found.folder))}",
        style="dim",
        soft_wrap=True,
    )
