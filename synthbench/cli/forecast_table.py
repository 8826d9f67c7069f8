"""The table of `synthbench eval ... --dry-run`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from synthbench.engine.training.device import find_device
from synthbench.evaluation.forecast import Forecast, forecast_cells
from synthbench.evaluation.settings import Settings
from synthbench.evaluation.studies.study import Study
from synthbench.listeners.cell_names import distinctions
from synthbench.metrics.formatting import format_count, format_seconds
from synthbench.results.terminal_table import WIDTH, number_table

HEADINGS = ("to train", "finished", "FLOPs", "time at most", "memory")
ON_A_CPU = (
    "memory: parameters, gradients, optimizer state, test sets and a chunk of training data;"
    " what the forward pass keeps comes on top"
)
ON_A_GPU = "memory: the measured peak"
TIME = (
    "time: every replica to the end of its budget, with evaluations; those that solve their task"
    " stop earlier where the protocol says so (--until)"
)


def print_study_forecast(study: Study, settings: Settings) -> None:
    """What training the cells of a study would take; nothing is trained."""
    forecasts = forecast_cells(study.cells, study.folder, settings)
    print_forecasts(forecasts, study.folder, _is_measured(settings))


def print_grid_forecasts(grids: Mapping[str, Study], folder: Path, settings: Settings) -> None:
    """The same of several grids, whose results lie in one folder: a table of each, and the sum."""
    console, every = Console(width=WIDTH), list[Forecast]()
    for name, grid in grids.items():
        console.print(escape(f"{name}: {grid.summary()}"), highlight=False)
        forecasts = forecast_cells(grid.cells, grid.folder, settings)
        console.print(_table(forecasts))
        every += forecasts
    if len(grids) > 1:
        table = number_table("grids", HEADINGS)
        table.add_row(f"all {len(grids)} grids", *_numbers(every))
        console.print(table)
    _print_legend(console, folder, _is_measured(settings))


def print_forecasts(forecasts: Sequence[Forecast], folder: Path, measured: bool) -> None:
    """A row for each cell and one for all; measured: whether memory is that of a GPU."""
    console = Console(width=WIDTH)
    console.print(_table(forecasts))
    _print_legend(console, folder, measured)


def _is_measured(settings: Settings) -> bool:
    return find_device(settings.trainer.accelerator).type == "cuda"


def _table(forecasts: Sequence[Forecast]) -> Table:
    table = number_table("cell", HEADINGS)
    # Cells of one model and task may differ in how they are measured, such as by train_samples.
    settings = distinctions([each.cell for each in forecasts])
    for each, own in zip(forecasts, settings, strict=True):
        name = f"{each.cell.label()} on {each.cell.task.label()}"
        table.add_row(escape(f"{name}, {own}" if own else name), *_numbers([each]))
    if len(forecasts) > 1:
        table.add_section()
        table.add_row(f"all {len(forecasts)} cells", *_numbers(forecasts))
    return table


def _print_legend(console: Console, folder: Path, measured: bool) -> None:
    for line in (TIME, ON_A_GPU if measured else ON_A_CPU):
        console.print(line, style="dim")
    console.print(f"nothing is trained, and nothing written to {escape(str(folder))}",
                  soft_wrap=True)  # fmt: skip


def _numbers(forecasts: Sequence[Forecast]) -> list[str]:
    """Sums under `HEADINGS`; of memory the most, because cells take turns."""
    flops = sum(each.flops for each in forecasts)
    trained = [each for each in forecasts if each.replicas]
    return [
        str(sum(each.replicas for each in forecasts)),
        str(sum(each.finished for each in forecasts)),
        format_count(flops) if flops else "-",
        format_seconds(sum(each.seconds for each in forecasts)) if trained else "-",
        f"{format_count(max(each.memory for each in trained))}B" if trained else "-",
    ]
