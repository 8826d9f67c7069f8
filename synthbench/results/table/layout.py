"""Tables for a terminal: as wide as it is, no name and no number broken, no column left out.

Lines break between words alone. Where a table is too wide its numbers go on in a further block
of the same rows; where even what tells rows apart is, rows are numbered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from io import StringIO
from itertools import chain, zip_longest

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from synthbench.results.table.text_table import TableCell, TextColumn, TextTable
from synthbench.results.terminal_table import WIDTH

GAP = 2
"""Blanks between two columns."""
HEADING = 10
"""Characters up to which the words of a heading stand in one line, however narrow its cells."""
FEW_ROWS = 8
"""Up to so many rows have their details below the values, where that saves a block."""
INDEX = "#"


@dataclass(frozen=True)
class _Column:
    """Lines of the heading and of every cell, and the width of the longest."""

    heading: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]
    number: bool

    @cached_property
    def width(self) -> int:
        """Characters of the longest line."""
        return max(map(cell_len, chain(self.heading, *self.cells)), default=0)


def rendered(tables: Sequence[TextTable], width: int = WIDTH) -> str:
    """Tables as plain text, without colour and without blanks at the ends of lines."""
    console = Console(file=StringIO(), width=width, color_system=None, force_jupyter=False)
    with console.capture() as captured:
        print_tables(console, tables)
    return "\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n") + "\n"


def print_tables(console: Console, tables: Sequence[TextTable]) -> None:
    """Each table below its title, as wide as the console.

    Where rows have to be numbered, tables that follow one with the same rows refer to it.
    """
    told: tuple[TextColumn, ...] | None = None
    for table in tables:
        if table.title or table.note:
            parts = [Text(table.title, "bold"), Text(table.note)]
            words = Text("  ").join(part for part in parts if part)
            words.overflow = "ignore"
            console.print(words)
        numbered = _is_numbered(table, console.width)
        for block in _blocks(table, console.width, told=numbered and told == table.labels):
            # A terminal that is narrower than a word breaks it; nothing is cut off.
            console.print(_drawn(block), soft_wrap=True)
            console.print()
        told = table.labels if numbered else told


def _blocks(table: TextTable, width: int, *, told: bool) -> list[list[_Column]]:
    """The columns of each block; told: whether the reader knows what the numbered rows are."""
    before: list[list[_Column]] = []
    labels: Sequence[TextColumn] = table.labels
    if _is_numbered(table, width):
        rows = tuple(TableCell(str(row + 1)) for row in range(_rows(table)))
        labels = [TextColumn(INDEX, rows)]
        index = _fitting(labels, width)
        room = width - GAP - index[0].width
        before = [] if told else _packed(index, _fitting(table.labels, room), width)
    inline, stacked = (_beside(labels, table.numbers, width, below) for below in (False, True))
    if inline is None or (stacked and _rows(table) <= FEW_ROWS and len(stacked) < len(inline)):
        return [*before, *(stacked or [])]
    return [*before, *inline]


def _beside(
    labels: Sequence[TextColumn], numbers: Sequence[TextColumn], width: int, details_below: bool
) -> list[list[_Column]] | None:
    """Blocks of the numbers, the labels before each; None where a number has no room beside them.

    With their details below, which is the narrowest, numbers have to do with what there is.
    """
    columns = [_column(each, details_below) for each in numbers]
    room = width - (GAP + max(column.width for column in columns) if columns else 0)
    fitted = _fitting(labels, room)
    if _total(fitted) > room and not details_below:
        return None
    return _packed(fitted, columns, width)


def _rows(table: TextTable) -> int:
    return len((*table.labels, *table.numbers)[0].cells)


def _is_numbered(table: TextTable, width: int) -> bool:
    """Whether the labels leave no room to some number with its details below it."""
    widest = max((_column(each, True).width for each in table.numbers), default=-GAP)
    room = width - GAP - widest
    return _total(_fitting(table.labels, room)) > room


def _fitting(columns: Sequence[TextColumn], room: int) -> list[_Column]:
    """Columns of labels; where there is no room the widest texts wrap between words."""
    found = [_column(each, True) for each in columns]
    most = max((column.width for column in found), default=0)
    while _total(found) > room and most > HEADING:
        most -= 1
        found = [
            _wrapped_column(each, most) if own.width > most else own
            for each, own in zip(columns, found, strict=True)
        ]
    return found


def _wrapped_column(column: TextColumn, width: int) -> _Column:
    cells = (TableCell("\n".join(wrapped(cell.value, width))) for cell in column.cells)
    return _column(replace(column, cells=tuple(cells)), True)


def _packed(
    labels: Sequence[_Column], columns: Sequence[_Column], width: int
) -> list[list[_Column]]:
    """The columns in as few blocks as they need in their order, the labels before each."""
    blocks = [list(labels)]
    for column in columns:
        if len(blocks[-1]) > len(labels) and _total([*blocks[-1], column]) > width:
            blocks.append(list(labels))
        blocks[-1].append(column)
    return blocks


def _total(columns: Sequence[_Column]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)


def _column(column: TextColumn, details_below: bool) -> _Column:
    if details_below:
        cells = [
            [line for text in cell.lines() for line in text.split("\n")] for cell in column.cells
        ]
    else:
        cells = [[text] for text in _aligned(column.cells)]
    content = max(map(cell_len, chain(*cells)), default=0)
    lines = [
        part for line in column.heading.split("\n") for part in wrapped(line, max(content, HEADING))
    ]
    return _Column(tuple(lines), tuple(map(tuple, cells)), column.number)


def _aligned(cells: Sequence[TableCell]) -> list[str]:
    """Values below values, details below details."""
    details = [", ".join(cell.detail.splitlines()) for cell in cells]
    if not any(details):
        return [cell.value for cell in cells]
    left = max(cell_len(cell.value) for cell in cells)
    right = max(map(cell_len, details))
    return [
        f"{' ' * (left - cell_len(cell.value))}{cell.value} {detail:<{right}}"
        for cell, detail in zip(cells, details, strict=True)
    ]


def wrapped(text: str, width: int) -> list[str]:
    """Lines of whole words; a word that is longer than a line has one for itself."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and cell_len(lines[-1]) + 1 + cell_len(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def _drawn(columns: Sequence[_Column]) -> Text:
    """The block: the heading in bold with its last lines level, a rule, the rows."""
    height = max(len(column.heading) for column in columns)
    above = [("",) * (height - len(column.heading)) + column.heading for column in columns]
    heading = "\n".join(_lines(columns, above))
    rule = "─" * _total(columns)
    rows = zip(*(column.cells for column in columns), strict=True)
    body = "\n".join(line for row in rows for line in _lines(columns, row))
    return Text.assemble((heading, "bold"), f"\n{rule}\n{body}")


def _lines(columns: Sequence[_Column], row: Sequence[Sequence[str]]) -> Iterator[str]:
    """A row's cells side by side, line by line; numbers stand to the right."""
    for texts in zip_longest(*row, fillvalue=""):
        parts = []
        for column, text in zip(columns, texts, strict=True):
            blanks = " " * (column.width - cell_len(text))
            parts.append(blanks + text if column.number else text + blanks)
        yield (" " * GAP).join(parts).rstrip()
