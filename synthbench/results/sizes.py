"""How large the networks of a task are: parameters, state, and what a sample costs."""

from __future__ import annotations

from collections.abc import Sequence

from synthbench.metrics.formatting import format_count
from synthbench.records.schema import Record
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.table.text_table import TextColumn, text_column

HEADINGS = ("parameters", "state size", "FLOPs per sample")


def differ_in_size(cells: Sequence[MeasuredCell]) -> bool:
    """Whether there is something to compare among the cells of one task."""
    return len({sizes(cell.record) for cell in cells}) > 1


def sizes(record: Record) -> tuple[int, int | None, float]:
    """Trainable numbers, numbers carried between positions, FLOPs per sample; of one replica."""
    return record.compute.parameters, record.compute.state_size, record.flops_per_sample


def size_columns(cells: Sequence[MeasuredCell]) -> list[TextColumn]:
    """The columns `HEADINGS`, a row for each cell; without states, none of them."""
    rows = [
        ["-" if size is None else format_count(size) for size in sizes(cell.record)]
        for cell in cells
    ]
    return [
        text_column(heading, texts)
        for heading, texts in zip(HEADINGS, zip(*rows, strict=True), strict=True)
        if any(text != "-" for text in texts)
    ]
