"""What several commands of `synthbench study` take."""

from __future__ import annotations

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
