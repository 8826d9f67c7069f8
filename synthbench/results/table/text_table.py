"""A table of texts before it is drawn: what tells its rows apart, then numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.table.row_labels import RowLabels, row_labels


class TableCell(NamedTuple):
    """One cell of a table: a value, and what is written small below it."""

    value: str
    detail: str = ""

    def lines(self) -> list[str]:
        """The value, and the detail below it."""
        return [self.value, *self.detail.splitlines()]

    def stacked(self) -> str:
        """The same as one text."""
        return "\n".join(self.lines())


@dataclass(frozen=True)
class TextColumn:
    """A heading and one cell for each row; numbers stand to the right."""

    heading: str
    cells: tuple[TableCell, ...]
    number: bool = True


@dataclass(frozen=True)
class TextTable:
    """labels: columns that say what a row is; numbers: the others. title: bold; note: behind it."""

    labels: tuple[TextColumn, ...]
    numbers: tuple[TextColumn, ...]
    title: str = ""
    note: str = ""


def label_columns(labels: RowLabels, first: str = "model") -> tuple[TextColumn, ...]:
    """The columns on the left of a table with one row per cell; first: heading of the model's."""
    columns = zip(*labels.rows, strict=True)
    headings = [first if heading == "model" else heading for heading in labels.headings]
    return tuple(
        TextColumn(heading, tuple(map(TableCell, texts)), number)
        for heading, texts, number in zip(headings, columns, labels.numeric, strict=True)
    )


def table_of_cells(
    cells: Sequence[MeasuredCell], numbers: Sequence[TextColumn], first: str = "model"
) -> TextTable:
    """A table with one row per cell, labelled by what varies between them."""
    return TextTable(label_columns(row_labels(cells), first), tuple(numbers))


def text_column(heading: str, texts: Sequence[str], number: bool = True) -> TextColumn:
    """A column of values without details."""
    return TextColumn(heading, tuple(map(TableCell, texts)), number)
