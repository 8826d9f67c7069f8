"""The table of finished cells: what was solved, how fast, at what cost."""

from __future__ import annotations

from collections.abc import Sequence

from synthbench.metrics.ceiling import ceiling_notes
from synthbench.metrics.formatting import (
    format_count,
    format_estimate,
    format_seconds,
    format_time_to_target,
)
from synthbench.records.schema import Record
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.sizes import differ_in_size, size_columns
from synthbench.results.table.row_labels import row_labels
from synthbench.results.table.text_table import TableCell, TextColumn, TextTable, label_columns

FEW_ROWS = 8
FOOTNOTE = "intervals at 95%; score: final, median over replicas [10%, 90%]"


def summary_table(cells: Sequence[MeasuredCell]) -> TextTable:
    """Of cells of one task and score, which may differ in its fields; a row for each.

    Sizes of the networks are behind the results where they differ, of many rows only those of
    several models.
    """
    labels = row_labels(cells)
    score = cells[0].record.summary.score
    headings = ["solved", "samples to target", "steps", "FLOPs", score, "time"]
    columns = zip(*map(_numbers, cells), strict=True)
    sizes = size_columns(cells) if _sizes_matter(cells) else []
    return TextTable(
        label_columns(labels),
        (*map(TextColumn, headings, columns), *sizes),
        title=labels.common,
        note=budget_note([cell.record for cell in cells]),
    )


def _sizes_matter(cells: Sequence[MeasuredCell]) -> bool:
    models = {cell.record.model_plan["name"] for cell in cells}
    return differ_in_size(cells) and (len(cells) <= FEW_ROWS or len(models) > 1)


def _numbers(cell: MeasuredCell) -> list[TableCell]:
    """Of one cell, below the headings."""
    record, summary = cell.record, cell.record.summary
    steps = cell.watched // cell.batch_size
    samples, interval = format_time_to_target(summary.samples_to_target, cell.watched)
    step_count, _ = format_time_to_target(summary.steps_to_target, steps)
    flops, _ = format_time_to_target(summary.flops_to_target, steps * record.compute.step_flops)
    _, share = format_estimate(summary.success_rate)
    final, spread = format_estimate(summary.final_score, missing="never finite")
    diverged = f"\n{summary.diverged} diverged" if summary.diverged else ""
    return [
        TableCell(f"{summary.solved}/{summary.replicas}", share + diverged),
        TableCell(samples, interval),
        TableCell(step_count),
        TableCell(flops),
        TableCell(final, spread),
        TableCell(format_seconds(record.compute.wall_seconds)),
    ]


def budget_note(records: Sequence[Record]) -> str:
    """`32 replicas, budget 640k samples`, less what is not the same in all records."""
    counts = {record.summary.replicas for record in records}
    budgets = {record.budget for record in records}
    parts = [f"{count} replica{'s' * (count > 1)}" for count in counts if len(counts) == 1]
    parts += [f"budget {format_count(budget)} samples" for budget in budgets if len(budgets) == 1]
    return ", ".join(parts)


def ceiling_lines(records: Sequence[Record]) -> list[str]:
    """What progress is relative to, where that is not the optimum: a line for each ceiling."""
    return ceiling_notes(record.ceiling for record in records)
