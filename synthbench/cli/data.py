"""`synthbench data export TASK`: samples as a Hugging Face data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from synthbench.cli.completion import complete_task
from synthbench.cli.surroundings import watched
from synthbench.errors import ConfigurationError, OutputError, first_line

if TYPE_CHECKING:
    from datasets import DatasetDict

data_app = typer.Typer(help="A task's samples as Hugging Face data sets.", no_args_is_help=True)


@data_app.callback()
def data() -> None:
    """A task's samples as Hugging Face data sets."""
    # With a callback the one command keeps its name.


LARGEST_SEED = 2**64 - 1


def check_free(folder: Path) -> None:
    """Raise ConfigurationError unless a folder is empty, or can be made."""
    if folder.exists() and not folder.is_dir():
        raise ConfigurationError(f"{folder} is no folder; choose another --to")
    if folder.exists() and any(folder.iterdir()):
        raise ConfigurationError(f"{folder} is not empty; choose another --to")


def push(found: DatasetDict, name: str) -> None:
    """Upload; OutputError, in a line, for whatever the hub or the way to it does not let through.

    Its client raises errors of three libraries, of which no two have a class in common.
    """
    try:
        found.push_to_hub(name)
    except Exception as error:
        raise OutputError(
            f"cannot push to {name}: {first_line(error)}; log in with `hf auth login`, see to the "
            "network, or write a folder with --to"
        ) from error


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
    seed: Annotated[
        int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the world and the samples.")
    ] = 0,
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
    if to is not None:
        check_free(to)
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
        make_folder(to)
        for name, split in found.items():
            write_atomically(to / f"{name}.parquet", parquet_bytes(split.data.table))
        write_atomically(to / "README.md", card.encode())
        held = ", ".join(f"{name} {len(split):,}" for name, split in found.items())
        console.print(escape(f"{to}: {held}"), soft_wrap=True)
    if push_to_hub is not None:
        push(found, push_to_hub)
        console.print(escape(f"pushed to {push_to_hub}"), soft_wrap=True)
