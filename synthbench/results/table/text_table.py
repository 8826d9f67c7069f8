"""A table of texts before it is drawn: what tells its rows apart, then numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from synthbench.results.table.row_labels import RowLabels


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


def label_columns(labels: RowLabels) -> tuple[TextColumn, ...]:
    """The columns on the left of a table with one row for each cell."""
    columns = zip(*labels.rows, strict=True)
    return tuple(
        text_column(heading, texts, number)
        for heading, texts, number in zip(labels.headings, columns, labels.numeric, strict=True)
    )


def text_column(heading: str, texts: Sequence[str], number: bool = True) -> TextColumn:
    """A column of values without details."""
    return TextColumn(heading, tuple(map(TableCell, texts)), number)
