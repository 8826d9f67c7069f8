"""Results as plain text: what Python shows for an object."""

from __future__ import annotations

from collections.abc import Sequence
from io import StringIO

from rich.console import Console

from synthbench.metrics.formatting import format_time_to_target
from synthbench.results.comparison_table import NOTHING
from synthbench.results.comparisons import ModelComparison
from synthbench.results.measured_cell import MeasuredCell, by_table
from synthbench.results.score_table import has_several_test_sets, score_table
from synthbench.results.summary_table import FOOTNOTE, ceiling_lines, summary_table
from synthbench.results.table.layout import print_tables
from synthbench.results.terminal_table import WIDTH


def describe_cell(cell: MeasuredCell) -> str:
    """`mlp width=50 on sparse-parity n=12 k=2, 16/16 solved, median 9.6k [8.1k, 11k] samples`."""
    record, summary = cell.record, cell.record.summary
    median = " ".join(format_time_to_target(summary.samples_to_target, cell.watched)).rstrip()
    return (
        f"{record.model} on {record.task}, {summary.solved}/{summary.replicas} solved, "
        f"median {median} samples"
    )


def results_text(cells: Sequence[MeasuredCell]) -> str:
    """The tables that end `synthbench eval`, without colour."""
    if not cells:
        return "no cells"
    console = Console(file=StringIO(), width=WIDTH, color_system=None, force_jupyter=False)
    with console.capture() as captured:
        print_result_tables(console, cells)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n")


def print_result_tables(console: Console, cells: Sequence[MeasuredCell]) -> None:
    """One table per task, and one of scores where it has several test sets; a legend."""
    for chosen in by_table(cells):
        tables = [summary_table(chosen)]
        if has_several_test_sets(chosen):
            tables.append(score_table(chosen))
        print_tables(console, tables)
    for line in (FOOTNOTE, *ceiling_lines([cell.record for cell in cells])):
        console.print(line, style="dim")


def comparisons_text(comparisons: Sequence[ModelComparison]) -> str:
    """One paragraph per comparison."""
    if not comparisons:
        return NOTHING
    return "\n".join(repr(one) for one in comparisons)
