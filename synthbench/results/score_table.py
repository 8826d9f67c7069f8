"""What models score in the end on every test set of a task, where it has several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from rich.markup import escape
from rich.table import Table

from synthbench.metrics.formatting import format_estimate
from synthbench.metrics.summary import spread
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.terminal_table import number_table

RANKED = "*"
HEADINGS = ("score", "model", "final", "[10%, 90%]")


def has_several_test_sets(cells: Sequence[MeasuredCell]) -> bool:
    """Whether there is more to say than the table of results does."""
    return len(cells[0].record.test_sets) > 1


def score_rows(cells: Sequence[MeasuredCell]) -> list[tuple[str, str, str, str]]:
    """Score, model, final median and its spread over replicas; the ranked score is marked."""
    scores = [name for name in cells[0].record.scores if name in cells[0].trajectories.measured]
    rows = []
    for score in scores:
        for cell in cells:
            found = cell.trajectories.by_replica(score)
            final = spread(np.array([values[-1] for values in found]))
            mark = f" {RANKED}" if score == cell.record.summary.score else ""
            rows.append((score + mark, cell.record.model, *format_estimate(final)))
    return rows


def score_table(cells: Sequence[MeasuredCell]) -> Table:
    """The same for Rich, 80 columns wide: the cells of one task."""
    score, model, *numbers = HEADINGS
    title = f"[bold]{escape(cells[0].record.task)}[/]  final scores; {RANKED} ranked"
    table = number_table(model, numbers, before=(score,), title=title)
    previous = ""
    for name, *rest in score_rows(cells):
        table.add_row(escape(name if name != previous else ""), *map(escape, rest))
        previous = name
    return table
