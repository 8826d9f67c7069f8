"""How large the networks of a task are: parameters, state, and what a sample costs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.markup import escape
from rich.table import Table

from synthbench.metrics.formatting import format_count
from synthbench.records.schema import Record
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.terminal_table import number_table

HEADINGS = ("model", "parameters", "state size", "FLOPs per sample")


def differ_in_size(cells: Sequence[MeasuredCell]) -> bool:
    """Whether there is something to compare among the cells of one task."""
    return len({sizes(cell.record) for cell in cells}) > 1


def sizes(record: Record) -> tuple[int, int | None, float]:
    """Trainable numbers, numbers carried between positions, FLOPs per sample; of one replica."""
    return record.compute.parameters, record.compute.state_size, record.flops_per_sample


def size_rows(cells: Sequence[MeasuredCell]) -> list[list[str]]:
    """Each cell under `HEADINGS`; a dash where the state is unknown, or there is none."""
    return [
        [
            cell.record.model,
            *("-" if size is None else format_count(size) for size in sizes(cell.record)),
        ]
        for cell in cells
    ]


def size_table(cells: Sequence[MeasuredCell]) -> Table:
    """The same for Rich, 80 columns wide: the cells of one task; without states, no column."""
    shown = [
        column
        for column in zip(HEADINGS, *size_rows(cells), strict=True)
        if any(text != "-" for text in column[1:])
    ]
    (model, *numbers), *rows = zip(*shown, strict=True)
    table = number_table(model, numbers)
    for texts in rows:
        table.add_row(*map(escape, texts))
    return table
