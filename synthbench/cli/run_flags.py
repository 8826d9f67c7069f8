"""Flags of the commands that train: which tasks, and on what they are trained."""

from __future__ import annotations

from typing import Annotated

import typer

from synthbench.cli.completion import complete_launcher, complete_tracker

CellNumbers = Annotated[
    list[int] | None,
    typer.Option(min=1, help="Only this cell of the suite, 1 for the first; repeatable."),
]
Accelerator = Annotated[
    str, typer.Option("--accelerator", "--device", help="Lightning's flag: auto, cpu, gpu, ...")
]
ReplicasPerBlock = Annotated[
    int | None, typer.Option(min=1, help="Replicas trained at once; default: measured.")
]
Compile = Annotated[
    str,
    typer.Option(
        "--compile",
        metavar="auto|always|never",
        help="Compile the training step: auto does where that saves time. Last bits differ.",
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="Processes that train side by side, one thread each; 0: this one. Default: one "
        "for each core where that pays. Numbers are the same.",
    ),
]
Launcher = Annotated[
    str | None,
    typer.Option(
        help="Train elsewhere: 'ray address=auto'; see `synthbench list launchers`.",
        autocompletion=complete_launcher,
    ),
]
Resume = Annotated[bool, typer.Option(help="Reuse finished cells and continue unfinished ones.")]
Trackers = Annotated[
    list[str] | None,
    typer.Option(
        help="Log elsewhere: see `synthbench list trackers`; repeatable.",
        autocompletion=complete_tracker,
    ),
]
