"""The table of finished cells: what was solved, how fast, at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.markup import escape
from rich.table import Table

from synthbench.metrics.ceiling import ceiling_notes
from synthbench.metrics.formatting import (
    format_count,
    format_estimate,
    format_seconds,
    format_time_to_target,
)
from synthbench.records.schema import Record
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.terminal_table import number_table

NARROW = 11
"""Characters that the column of models has at least."""
FOOTNOTE = "intervals at 95%; score: final, median over replicas [10%, 90%]"


class TableCell(NamedTuple):
    """One cell of the table: a value, and what is written small below it."""

    value: str
    detail: str = ""

    def stacked(self) -> str:
        """The value, and the detail below it."""
        return f"{self.value}\n{self.detail}" if self.detail else self.value


def headings(records: Sequence[Record]) -> list[str]:
    """Of the columns, for the records of one task; the last but one is the task's score."""
    score = records[0].summary.score
    return ["model", "solved", "samples to target", "steps", "FLOPs", score, "time"]


def row(cell: MeasuredCell) -> list[TableCell]:
    """Of one cell."""
    record, summary = cell.record, cell.record.summary
    steps = cell.watched // cell.batch_size
    samples, interval = format_time_to_target(summary.samples_to_target, cell.watched)
    step_count, _ = format_time_to_target(summary.steps_to_target, steps)
    flops, _ = format_time_to_target(summary.flops_to_target, steps * record.compute.step_flops)
    _, share = format_estimate(summary.success_rate)
    final, spread = format_estimate(summary.final_score, missing="never finite")
    diverged = f"\n{summary.diverged} diverged" if summary.diverged else ""
    return [
        TableCell(record.model),
        TableCell(f"{summary.solved}/{summary.replicas}", share + diverged),
        TableCell(samples, interval),
        TableCell(step_count),
        TableCell(flops),
        TableCell(final, spread),
        TableCell(format_seconds(record.compute.wall_seconds)),
    ]


def budget_note(record: Record) -> str:
    """`32 replicas, budget 640k samples`."""
    seeds = record.protocol["seeds"]
    count = f"{seeds} replica{'s' * (seeds > 1)}"
    return f"{count}, budget {format_count(record.budget)} samples"


def ceiling_lines(records: Sequence[Record]) -> list[str]:
    """What progress is relative to, where that is not the optimum: a line for each ceiling."""
    return ceiling_notes(record.ceiling for record in records)


def _foldable(label: str) -> str:
    """The label with its long tokens broken behind the `=`, not in the middle of a number."""
    return " ".join(
        token.replace("=", "=\n", 1) if len(token) > NARROW else token for token in label.split(" ")
    )


def terminal_table(cells: Sequence[MeasuredCell]) -> Table:
    """The cells of one task for Rich, 80 columns wide."""
    records = [cell.record for cell in cells]
    first, *others = headings(records)
    table = number_table(
        first,
        [heading.replace(" to ", "\nto ") for heading in others],
        title=f"[bold]{escape(records[0].task)}[/]  {budget_note(records[0])}",
    )
    for cell in cells:
        model, *rest = row(cell)
        table.add_row(escape(_foldable(model.value)), *(escape(one.stacked()) for one in rest))
    return table
