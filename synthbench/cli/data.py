"""`synthbench data export TASK`: samples as a Hugging Face data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from synthbench.cli.completion import complete_task
from synthbench.cli.surroundings import watched
from synthbench.errors import ConfigurationError

data_app = typer.Typer(help="A task's samples as Hugging Face data sets.", no_args_is_help=True)


@data_app.callback()
def data() -> None:
    """A task's samples as Hugging Face data sets."""
    # With a callback the one command keeps its name.


@data_app.command("export")
def export_command(
    task: Annotated[
        str,
        typer.Argument(
            help="A reference: 'markov symbols=3 length=100'.", autocompletion=complete_task
        ),
    ],
    to: Annotated[Path | None, typer.Option(help="Folder to write.")] = None,
    samples: Annotated[int, typer.Option(min=1, help="Training samples.")] = 10_000,
    held_out: Annotated[
        int | None,
        typer.Option(min=1, help="Samples of validation and of test; default: a tenth."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the world and the samples.")] = 0,
    push_to_hub: Annotated[
        str | None, typer.Option(metavar="REPO", help="Also upload, as USER/NAME.")
    ] = None,
) -> None:
    """Draw samples of a task and write them, with a card, for `datasets.load_dataset`."""
    from rich.console import Console
    from rich.markup import escape

    from synthbench.contracts.dataset_card import dataset_card
    from synthbench.records.atomic import make_folder, write_atomically
    from synthbench.records.content import parquet_bytes
    from synthbench.registry.registry import installed
    from synthbench.version import __version__

    if to is None and push_to_hub is None:
        raise ConfigurationError("say where to: --to FOLDER, --push-to-hub USER/NAME, or both")
    chosen = installed().task(task)
    rest = held_out or max(samples // 10, 1)
    counts = {"train": samples, "validation": rest, "test": rest}
    console = Console(highlight=False)
    with watched(console).status("drawing"):
        found = chosen.dataset(counts, seed)
    card = dataset_card(
        chosen, {name: len(rows) for name, rows in found.items()}, seed, version=__version__
    )
    if to is not None:
        if to.exists() and any(to.iterdir()):
            raise ConfigurationError(f"{to} is not empty; choose another --to")
        make_folder(to)
        for name, split in found.items():
            write_atomically(to / f"{name}.parquet", parquet_bytes(split.data.table))
        write_atomically(to / "README.md", card.encode())
        held = ", ".join(f"{name} {len(split):,}" for name, split in found.items())
        console.print(escape(f"{to}: {held}"), soft_wrap=True)
    if push_to_hub is not None:
        found.push_to_hub(push_to_hub)
        console.print(escape(f"pushed to {push_to_hub}"), soft_wrap=True)
