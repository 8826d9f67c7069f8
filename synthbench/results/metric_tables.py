"""Every metric of cells as tables of texts: what `synthbench metrics` shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, TypeVar

from synthbench.metrics.cell_metrics import EFFICIENCY
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.formatting import format_estimate, format_p_value, format_time_to_target
from synthbench.metrics.quantity import Quantity
from synthbench.metrics.summary import TO_TARGET
from synthbench.metrics.transitions import TRANSITIONS
from synthbench.records.schema import Record
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.sizes import size_columns
from synthbench.results.summary_table import ceiling_lines
from synthbench.results.table.row_labels import row_labels
from synthbench.results.table.text_table import TableCell, TextColumn, TextTable, label_columns

T = TypeVar("T")
CROSSED = (
    "all other intervals and tests use {} replicas, no two of which share an initialization or data"
)


class Row(NamedTuple):
    """One row: of which of the cells, by which name beside the cell's, and its numbers."""

    place: int
    numbers: Sequence[TableCell]
    name: str = ""


def metric_tables(cells: Sequence[MeasuredCell]) -> list[TextTable]:
    """Of cells of one task, which may differ in its fields: a table for each kind of metric.

    What was measured of none of the cells has no table.
    """
    labels = label_columns(row_labels(cells))
    per_cell = [
        TextTable(labels, tuple(size_columns(cells)), title="size"),
        TextTable(labels, _efficiency(cells), title="sample efficiency"),
        TextTable(labels, _transitions(cells), title="transitions"),
    ]
    others = [_strategies, _random_search, _probes, _grokking, _variance_split]
    return [*per_cell, *(table for make in others if (table := make(cells, labels)) is not None)]


def notes_of(cells: Sequence[MeasuredCell]) -> list[str]:
    """By which score, where it is not the one by which replicas were trained; the ceilings."""
    records = [cell.record for cell in cells]
    return [*sorted({line for record in records for line in _score_lines(record)}),
            *ceiling_lines(records)]  # fmt: skip


def _score_lines(record: Record) -> list[str]:
    if record.summary.score == record.ranked:
        return []
    stopped = record.protocol["until"] == "solved"
    return [
        f"by {record.summary.score}"
        + (
            f"; a replica that had solved it by {record.ranked} is censored where it stopped"
            if stopped
            else ""
        )
    ]


def _efficiency(cells: Sequence[MeasuredCell]) -> tuple[TextColumn, ...]:
    named = {quantity.name: quantity for quantity in TO_TARGET}
    solved, median = named["success_rate"], named["samples_to_target"]
    counts = [
        TableCell(f"{cell.record.summary.solved}/{cell.record.summary.replicas}",
                  solved.words(cell.record.summary)[1])
        for cell in cells
    ]  # fmt: skip
    medians = [TableCell(*median.words(cell.record.summary, cell.watched)) for cell in cells]
    return (
        _column(solved.heading, counts),
        _column(median.heading, medians),
        *(_quantity(each, [cell.metrics for cell in cells], cells) for each in EFFICIENCY),
    )


def _transitions(cells: Sequence[MeasuredCell]) -> tuple[TextColumn, ...]:
    """Times and shapes, then how many transitions change points find in how many replicas."""
    shapes = [cell.metrics.transitions for cell in cells]
    counts = [
        TableCell(", ".join(f"{number} in {count}" for number, count in found.items()))
        for found in (cell.metrics.transition_counts for cell in cells)
    ]
    return (
        *(_quantity(each, shapes, cells) for each in TRANSITIONS),
        _column("transitions in replicas", counts),
    )


def _strategies(cells: Sequence[MeasuredCell], labels: Sequence[TextColumn]) -> TextTable | None:
    # With the two ends alone the transition says it all.
    if all(len(cell.metrics.near) <= 2 for cell in cells):
        return None
    rows = [
        Row(
            place,
            [
                TableCell(f"{near.replicas}/{cell.record.summary.replicas}"),
                _time(near.first, cell),
                _number(near.share),
            ],
            name,
        )
        for place, cell in enumerate(cells)
        for name, near in cell.metrics.near.items()
    ]
    headings = ("replicas", "first at", "share of log samples")
    return _rows_table("nearest strategy", headings, rows, labels)


def _random_search(cells: Sequence[MeasuredCell], labels: Sequence[TextColumn]) -> TextTable | None:
    rows = [
        Row(
            place,
            [
                TableCell(f"{test.cv:.2f}"),
                TableCell(f"{test.random_search_cv:.2f}"),
                TableCell(format_p_value(test.p_value)),
            ],
        )
        for place, cell in enumerate(cells)
        if (test := cell.metrics.random_search) is not None
    ]
    headings = ("CV of times", "CV if it were", "p-value")
    return _rows_table("is it random search?", headings, rows, labels)


def _probes(cells: Sequence[MeasuredCell], labels: Sequence[TextColumn]) -> TextTable | None:
    rows = [
        Row(
            place,
            [
                _number(probe.lead),
                _number(probe.plateau_fraction),
                _number(probe.concordance) if probe.concordance else TableCell("-"),
            ],
            name,
        )
        for place, cell in enumerate(cells)
        for name, probe in cell.metrics.probes.items()
    ]
    headings = ("lead (decades)", "half-way at (of plateau)", "predicts (concordance)")
    return _rows_table("hidden progress", headings, rows, labels)


def _grokking(cells: Sequence[MeasuredCell], labels: Sequence[TextColumn]) -> TextTable | None:
    rows = [
        Row(
            place,
            [
                _time(found.memorized, cell),
                _time(found.generalized, cell),
                _number(found.ratio),
                TableCell(str(found.never)),
            ],
        )
        for place, cell in enumerate(cells)
        if (found := cell.metrics.grokking) is not None
    ]
    headings = ("training data learnt at", "fresh data learnt at", "ratio", "memorized only")
    return _rows_table("grokking", headings, rows, labels)


def _variance_split(
    cells: Sequence[MeasuredCell], labels: Sequence[TextColumn]
) -> TextTable | None:
    rows = []
    for place, cell in enumerate(cells):
        split = cell.metrics.variance_split
        if split is not None:
            both = TableCell(f"{split.interaction:.2f}")
            rows.append(Row(place, [_number(split.initialization), _number(split.data), both]))
        elif cell.record.protocol.get("initializations"):
            every = cell.record.summary.solved == cell.record.summary.replicas
            why = TableCell("all alike" if every else "not all solved")
            rows.append(Row(place, [why, TableCell(""), TableCell("")]))
    headings = ("initialization", "data", "both together")
    table = _rows_table("variance of log time", headings, rows, labels)
    if table is None:
        return None
    used = len(cells[rows[0].place].metrics.reached.times)
    return replace(table, note=CROSSED.format(used))


def _rows_table(
    title: str, headings: Sequence[str], rows: Sequence[Row], labels: Sequence[TextColumn]
) -> TextTable | None:
    """A table of some rows of the cells, or none without rows."""
    if not rows:
        return None
    own = [
        replace(column, cells=tuple(column.cells[row.place] for row in rows)) for column in labels
    ]
    if any(row.name for row in rows):
        own.append(TextColumn("", tuple(TableCell(row.name) for row in rows), number=False))
    numbers = zip(*(row.numbers for row in rows), strict=True)
    return TextTable(tuple(own), tuple(map(_column, headings, numbers)), title=title)


def _quantity(
    quantity: Quantity[T], sources: Sequence[T], cells: Sequence[MeasuredCell]
) -> TextColumn:
    words = [
        TableCell(*quantity.words(source, cell.watched))
        for source, cell in zip(sources, cells, strict=True)
    ]
    return _column(quantity.heading, words)


def _column(heading: str, cells: Sequence[TableCell]) -> TextColumn:
    return TextColumn(heading.replace("\n", " "), tuple(cells))


def _number(estimate: Estimate) -> TableCell:
    return TableCell(*format_estimate(estimate))


def _time(estimate: Estimate, cell: MeasuredCell) -> TableCell:
    return TableCell(*format_time_to_target(estimate, cell.watched))
