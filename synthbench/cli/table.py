"""The table that ends `synthbench eval`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from synthbench.figures import PICTURE_FILE
from synthbench.formatting import (
    format_count,
    format_estimate,
    format_seconds,
    format_time_to_target,
)
from synthbench.records import Record
from synthbench.results import CellResult

WIDTH = 80


def print_results(results: Sequence[CellResult], folder: Path) -> None:
    """One table per task, 80 columns wide, then where the files are."""
    console = Console(width=min(Console().width, WIDTH) if Console().is_terminal else WIDTH)
    for task in dict.fromkeys(result.record.task for result in results):
        records = [result.record for result in results if result.record.task == task]
        console.print(_table(records))
    console.print("intervals at 95%; score: final, median over replicas [10%, 90%]", style="dim")
    picture = folder if len(results) > 1 else results[0].folder
    console.print(f"picture: {escape(str(picture / PICTURE_FILE))}", soft_wrap=True)
    console.print(f"records: {escape(str(folder))}", soft_wrap=True)
    console.print(f"more: synthbench metrics {escape(str(folder))}", style="dim", soft_wrap=True)


def _table(records: Sequence[Record]) -> Table:
    first = records[0]
    table = Table(
        title=f"[bold]{escape(first.task)}[/]  {budget_note(first)}",
        title_justify="left",
        title_style="",
        box=box.SIMPLE_HEAD,
        width=WIDTH,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    score = first.summary.score
    table.add_column("model", overflow="fold", ratio=1)
    for heading in ("solved", "samples to target", "steps", "FLOPs", score, "time"):
        table.add_column(heading.replace(" to ", "\nto "), justify="right", no_wrap=True)
    for record in records:
        table.add_row(*_row(record))
    return table


def _row(record: Record) -> list[str]:
    summary, protocol = record.summary, record.plan["protocol"]
    steps = protocol["budget"] // record.plan["model"]["recipe"]["batch_size"]
    samples, interval = format_time_to_target(summary.samples_to_target, protocol["budget"])
    step_count, _ = format_time_to_target(summary.steps_to_target, steps)
    flops, _ = format_time_to_target(summary.flops_to_target, steps * record.compute.step_flops)
    _, share = format_estimate(summary.success_rate)
    final, spread = format_estimate(summary.final_score, missing="never finite")
    diverged = f"\n{summary.diverged} diverged" if summary.diverged else ""
    cells = [
        escape(record.model),
        f"{summary.solved}/{summary.replicas}\n{share}{diverged}",
        f"{samples}\n{interval}",
        step_count,
        flops,
        f"{final}\n{spread}",
        format_seconds(record.compute.wall_seconds),
    ]
    return [cells[0], *(escape(cell) for cell in cells[1:])]


def budget_note(record: Record) -> str:
    """`32 replicas, budget 640k samples`."""
    protocol = record.plan["protocol"]
    count = f"{protocol['seeds']} replica{'s' * (protocol['seeds'] > 1)}"
    return f"{count}, budget {format_count(protocol['budget'])} samples"
