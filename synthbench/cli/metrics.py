"""`synthbench metrics RUN`: every metric of finished cells, to read or as a file."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from synthbench.cli.importing import without_collection
from synthbench.cli.score_flag import Score, read_cells
from synthbench.cli.surroundings import watched
from synthbench.errors import ConfigurationError, NothingToShowError

if TYPE_CHECKING:
    from synthbench.results.measured_cell import MeasuredCell
    from synthbench.results.table.frame import FrameOptions, Per
    from synthbench.results.table.selection import Selection


class Format(StrEnum):
    """What `--format` takes."""

    table = "table"
    csv = "csv"
    json = "json"
    parquet = "parquet"
    latex = "latex"


class Row(StrEnum):
    """What `--per` takes."""

    configuration = "configuration"
    replica = "replica"
    evaluation = "evaluation"


SUFFIXES = {
    ".csv": Format.csv,
    ".json": Format.json,
    ".parquet": Format.parquet,
    ".tex": Format.latex,
}


def metrics_command(  # noqa: PLR0913 - one parameter per flag
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...", help="Folders that `synthbench eval` has written.", show_default=False
        ),
    ],
    shape: Annotated[
        Format | None,
        typer.Option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="table, csv, json, parquet or latex. Default: as --out ends, or table.",
            show_default=False,
        ),
    ] = None,
    per: Annotated[
        Row | None,
        typer.Option(
            metavar="ROW",
            help="A row for each configuration, replica or evaluation. Default: configuration.",
            show_default=False,
        ),
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="These columns, in this order, such as n,solved,regret."),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(
            metavar="CONDITION",
            help="Only rows that meet it, such as 'model.width >= 100 and n == 20'.",
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            metavar="A,-B", help="Order of the rows by columns; - before one: largest first."
        ),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Compare with this model alone, such as 'mlp lr=0.1'. Default: every two.",
        ),
    ] = None,
    score: Score = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="File to write. Default: the terminal.")
    ] = None,
) -> None:
    """Show metrics and comparisons of finished cells, or write them for other programs."""
    chosen = shape or _format_of(out)
    if chosen is Format.parquet and out is None:
        raise ConfigurationError("Parquet is not text; name a file for it with --out")
    with without_collection():
        from synthbench.results.table.frame import FrameOptions
        from synthbench.results.table.selection import Selection

    cells = _measured(runs, score)
    selection = Selection(where, _names(sort), _names(columns))
    if chosen is Format.table and out is None and per is None and columns is None:
        _print_report(cells, selection, against)
        return
    options = FrameOptions(cast("Per", str(per or Row.configuration)), against=against)
    _write_table(cells, options, selection, chosen, out)


def _format_of(out: Path | None) -> Format:
    if out is None:
        return Format.table
    if out.suffix not in SUFFIXES:
        raise ConfigurationError(
            f"{out} does not say its format: let it end in {', '.join(SUFFIXES)}, or add --format"
        )
    return SUFFIXES[out.suffix]


def _names(text: str | None) -> tuple[str, ...]:
    """Names between commas."""
    return tuple(name for part in (text or "").split(",") if (name := part.strip()))


def _measured(runs: Sequence[Path], score: str | None) -> list[MeasuredCell]:
    """The cells of all folders, each once, with their metrics."""
    from rich.console import Console
    from rich.progress import track

    cells = read_cells(runs, score)
    # Standard output is for the table alone.
    console = Console(stderr=True)
    for cell in track(cells, "measuring", console=watched(console), transient=True):
        _ = cell.metrics
    return cells


def _print_report(cells: Sequence[MeasuredCell], selection: Selection, against: str | None) -> None:
    """Every metric of the cells, task by task, then the comparisons."""
    from rich.text import Text

    from synthbench.results.comparison_table import comparison_notes, comparison_table
    from synthbench.results.comparisons import compare_models
    from synthbench.results.measured_cell import by_table
    from synthbench.results.metric_tables import metric_tables, notes_of
    from synthbench.results.table.chosen_table import chosen_cells
    from synthbench.results.table.layout import print_tables
    from synthbench.results.table.row_labels import row_labels
    from synthbench.results.terminal_table import results_console

    console, chosen = results_console(), chosen_cells(cells, selection)
    if not chosen:
        raise NothingToShowError("no configuration meets the condition")
    comparisons = compare_models(chosen, against)
    for group in by_table(chosen):
        console.print(Text(row_labels(group).common or group[0].record.task, "bold"))
        for line in notes_of(group):
            console.print(line, style="dim", markup=False)
        print_tables(console, metric_tables(group))
    notes = ["intervals at 95%; definitions: page metrics of the documentation"]
    if comparisons:
        print_tables(console, [comparison_table(comparisons)])
        notes = [*comparison_notes(comparisons), *notes]
    for line in notes:
        console.print(line, style="dim")


def _write_table(
    cells: Sequence[MeasuredCell],
    options: FrameOptions,
    selection: Selection,
    chosen: Format,
    out: Path | None,
) -> None:
    """One table, to the file or as it is to standard output."""
    from synthbench.records.atomic import write_atomically
    from synthbench.results.table.chosen_table import CONTENTS, chosen_table, plain_table
    from synthbench.results.table.layout import print_tables
    from synthbench.results.terminal_table import results_console

    table = chosen_table(cells, options, selection)
    if out is not None:
        write_atomically(out, CONTENTS[chosen](table))
        print(f"{out}  ({len(table.frame)} rows)")
    elif chosen is Format.table:
        print_tables(results_console(), [plain_table(table)])
    else:
        sys.stdout.write(CONTENTS[chosen](table).decode())
