"""What several commands of `synthbench study` take."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from synthbench.cli.completion import complete_study

StudyName = Annotated[
    str,
    typer.Argument(
        metavar="STUDY|FILE.toml",
        help="A paper study: see `synthbench study list`; or the file of one.",
        autocompletion=complete_study,
    ),
]
Full = Annotated[bool, typer.Option("--full", help="With the paper's sizes, which are for a GPU.")]
Runs = Annotated[
    Path, typer.Option(help="Folder of the results: those of a grid are in RUNS/STUDY/GRID.")
]
RUNS = Path("runs")


def runs_flag(runs: Path) -> str:
    """How a further command finds the same results: nothing, or ` --runs FOLDER`."""
    return "" if runs == RUNS else f" --runs {shlex.quote(str(runs))}"
