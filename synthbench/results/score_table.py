"""What models score in the end on every test set of a task, where it has several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synthbench.metrics.formatting import format_estimate
from synthbench.metrics.score_names import base_name, scored_on, set_name
from synthbench.metrics.summary import spread
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.table.row_labels import ABSENT, row_labels
from synthbench.results.table.text_table import (
    TableCell,
    TextColumn,
    TextTable,
    label_columns,
    text_column,
)

RANKED = "*"
TITLE = "final scores"
NOTE = f"median over replicas [10%, 90%]; {RANKED} ranked"


def has_several_test_sets(cells: Sequence[MeasuredCell]) -> bool:
    """Whether there is more to say than the table of results does."""
    return len(cells[0].record.test_sets) > 1


def score_table(cells: Sequence[MeasuredCell]) -> TextTable:
    """A row for each cell and a column for each score, of cells with the same scores.

    Of a single cell a row for each score and a column for each test set.
    """
    names = [name for name in cells[0].record.scores if name in cells[0].trajectories.measured]
    ranked = cells[0].record.summary.score
    if len(cells) == 1:
        return _scores_by_sets(cells[0], names, ranked)
    columns = [
        TextColumn(
            _marked(name) if name == ranked else name, tuple(_final(cell, name) for cell in cells)
        )
        for name in names
    ]
    return TextTable(label_columns(row_labels(cells)), tuple(columns), title=TITLE, note=NOTE)


def _scores_by_sets(cell: MeasuredCell, names: Sequence[str], ranked: str) -> TextTable:
    scores = list(dict.fromkeys(map(base_name, names)))
    columns = []
    for test_set in dict.fromkeys(map(set_name, names)):
        on_set = [scored_on(score, test_set) for score in scores]
        finals = [_final(cell, name) if name in names else TableCell(ABSENT) for name in on_set]
        if ranked in on_set:
            place = on_set.index(ranked)
            finals[place] = finals[place]._replace(value=_marked(finals[place].value))
        columns.append(TextColumn(test_set or "first set", tuple(finals)))
    return TextTable((text_column("", scores, number=False),), tuple(columns), TITLE, NOTE)


def _marked(text: str) -> str:
    return f"{text} {RANKED}"


def _final(cell: MeasuredCell, score: str) -> TableCell:
    """Median and spread over replicas."""
    last = [values[-1] for values in cell.trajectories.by_replica(score)]
    return TableCell(*format_estimate(spread(np.array(last))))
