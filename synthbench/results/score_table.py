"""What models score in the end on every test set of a task, where it has several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthbench.metrics.formatting import format_estimate
from synthbench.metrics.summary import spread
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.table.row_labels import row_labels
from synthbench.results.table.text_table import TableCell, TextColumn, TextTable, label_columns

RANKED = "*"
TITLE = "final scores"
NOTE = f"median over replicas [10%, 90%]; {RANKED} ranked"


def has_several_test_sets(cells: Sequence[MeasuredCell]) -> bool:
    """Whether there is more to say than the table of results does."""
    return len(cells[0].record.test_sets) > 1


def score_table(cells: Sequence[MeasuredCell]) -> TextTable:
    """A row for each cell and a column for each score, of cells with the same scores."""
    names = [name for name in cells[0].record.scores if name in cells[0].trajectories.measured]
    ranked = cells[0].record.summary.score
    columns = [
        TextColumn(
            f"{name} {RANKED}" if name == ranked else name,
            tuple(_final(cell, name) for cell in cells),
        )
        for name in names
    ]
    return TextTable(label_columns(row_labels(cells)), tuple(columns), title=TITLE, note=NOTE)


def _final(cell: MeasuredCell, score: str) -> TableCell:
    """Median and spread over replicas."""
    last = [values[-1] for values in cell.trajectories.by_replica(score)]
    return TableCell(*format_estimate(spread(np.array(last))))
