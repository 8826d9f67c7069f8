"""The table of finished cells: what was solved, how fast, at what cost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich import box
from rich.markup import escape
from rich.table import Table

from synthbench.metrics.formatting import (
    format_count,
    format_estimate,
    format_seconds,
    format_time_to_target,
)
from synthbench.records.schema import Record

WIDTH = 80
NARROW = 11
"""Characters that the column of models has at least."""
FOOTNOTE = "intervals at 95%; score: final, median over replicas [10%, 90%]"


class Entry(NamedTuple):
    """One cell of the table: a value, and what is written small below it."""

    value: str
    detail: str = ""


def headings(records: Sequence[Record]) -> list[str]:
    """Of the columns, for the records of one task; the last but one is the task's score."""
    score = records[0].summary.score
    return ["model", "solved", "samples to target", "steps", "FLOPs", score, "time"]


def entries(record: Record) -> list[Entry]:
    """A record's row."""
    summary, protocol = record.summary, record.plan["protocol"]
    steps = protocol["budget"] // record.plan["model"]["recipe"]["batch_size"]
    samples, interval = format_time_to_target(summary.samples_to_target, protocol["budget"])
    step_count, _ = format_time_to_target(summary.steps_to_target, steps)
    flops, _ = format_time_to_target(summary.flops_to_target, steps * record.compute.step_flops)
    _, share = format_estimate(summary.success_rate)
    final, spread = format_estimate(summary.final_score, missing="never finite")
    diverged = f"\n{summary.diverged} diverged" if summary.diverged else ""
    return [
        Entry(record.model),
        Entry(f"{summary.solved}/{summary.replicas}", share + diverged),
        Entry(samples, interval),
        Entry(step_count),
        Entry(flops),
        Entry(final, spread),
        Entry(format_seconds(record.compute.wall_seconds)),
    ]


def budget_note(record: Record) -> str:
    """`32 replicas, budget 640k samples`."""
    protocol = record.plan["protocol"]
    count = f"{protocol['seeds']} replica{'s' * (protocol['seeds'] > 1)}"
    return f"{count}, budget {format_count(protocol['budget'])} samples"


def by_task(records: Sequence[Record]) -> list[list[Record]]:
    """The records of each task, in the order in which the tasks appear."""
    tasks = dict.fromkeys(record.task for record in records)
    return [[record for record in records if record.task == task] for task in tasks]


def _foldable(label: str) -> str:
    """The label with its long tokens broken behind the `=`, not in the middle of a number."""
    return " ".join(
        token.replace("=", "=\n", 1) if len(token) > NARROW else token for token in label.split(" ")
    )


def terminal_table(records: Sequence[Record]) -> Table:
    """The records of one task for Rich, 80 columns wide."""
    table = Table(
        title=f"[bold]{escape(records[0].task)}[/]  {budget_note(records[0])}",
        title_justify="left",
        title_style="",
        box=box.SIMPLE_HEAD,
        width=WIDTH,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    first, *others = headings(records)
    table.add_column(first, overflow="fold", ratio=1)
    for heading in others:
        table.add_column(heading.replace(" to ", "\nto "), justify="right", no_wrap=True)
    for record in records:
        model, *rest = entries(record)
        cells = (
            f"{entry.value}\n{entry.detail}" if entry.detail else entry.value for entry in rest
        )
        table.add_row(escape(_foldable(model.value)), *(escape(cell) for cell in cells))
    return table
