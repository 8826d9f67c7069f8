"""The rows and columns that were asked for, and what is written of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from synthbench.errors import NothingToShowError
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.summary_table import budget_note
from synthbench.results.table.files import csv_text, json_text, latex_text, parquet_content
from synthbench.results.table.frame import FrameOptions, tidy_frame
from synthbench.results.table.layout import rendered
from synthbench.results.table.names import COMPARISON, P_VALUE
from synthbench.results.table.row_labels import row_labels
from synthbench.results.table.selection import Selection, column_finder, rows_sorted, rows_where
from synthbench.results.table.text_table import TextTable, label_columns
from synthbench.results.table.words import frame_table, limits_of
from synthbench.results.varying import Varying, varying

if TYPE_CHECKING:
    import pandas as pd

HEADLINE = ("solved", "samples_to_target", "restricted_mean", "regret")
"""Columns of a table to be read, where none are named."""


@dataclass(frozen=True)
class ChosenTable:
    """Some rows of a tidy frame, with the columns that are wanted.

    frame: with all its columns. columns: those that are wanted; named: whether by their names.
    cells: of each row, where a row is a configuration.
    """

    frame: pd.DataFrame
    columns: tuple[str, ...]
    named: bool
    fields: Varying
    cells: tuple[MeasuredCell, ...] | None

    @property
    def wanted(self) -> pd.DataFrame:
        """The frame without the other columns."""
        return self.frame[list(self.columns)]


def chosen_cells(cells: Sequence[MeasuredCell], selection: Selection) -> list[MeasuredCell]:
    """The cells that a selection keeps, in its order."""
    if selection.where is None and not selection.sort:
        return list(cells)
    fields, frame = varying(cells), tidy_frame(cells, FrameOptions(fields="all"))
    kept = rows_where(frame, fields, selection.where)
    order = rows_sorted(frame.iloc[kept], fields, selection.sort)
    return [cells[kept[place]] for place in order]


def chosen_table(
    cells: Sequence[MeasuredCell], options: FrameOptions, selection: Selection
) -> ChosenTable:
    """What is asked for; names may mean every field, also those that do not vary.

    Models are compared among the configurations that are left alone. Raises what `tidy_frame`,
    `rows_where` and `rows_sorted` do, and UnknownNameError for a column that there is not.
    """
    fields, per_cell = varying(cells), options.per == "configuration"
    every = replace(options, fields="all", against=None if per_cell else options.against)
    frame = tidy_frame(cells, every)
    kept = rows_where(frame, fields, selection.where)
    frame, rows = frame.iloc[kept], [cells[place] for place in kept] if per_cell else None
    if rows and options.against is not None:
        frame = tidy_frame(rows, replace(every, against=options.against), fields)
    order = rows_sorted(frame, fields, selection.sort)
    find = column_finder(frame, fields)
    hidden = set(fields.columns.values()) - {*fields.names, "budget"}
    usual = [name for name in frame.columns if options.fields == "all" or name not in hidden]
    columns = tuple(map(find, selection.columns)) or tuple(usual)
    return ChosenTable(
        frame.iloc[order].reset_index(drop=True),
        tuple(dict.fromkeys(columns)),
        bool(selection.columns),
        fields,
        None if rows is None else tuple(rows[place] for place in order),
    )


def plain_table(table: ChosenTable) -> TextTable:
    """The table to be read: estimates with their intervals, configurations by what varies.

    Raises NothingToShowError when no row is left.
    """
    if table.frame.empty:
        raise NothingToShowError("no row meets the condition")
    limits = None if table.cells is None else [limits_of(cell) for cell in table.cells]
    if table.named or table.cells is None:
        return frame_table(table.frame, table.columns, tuple(table.fields.columns.values()), limits)
    compared = [name for name in (*COMPARISON, P_VALUE) if name in table.frame.columns]
    numbers = frame_table(table.frame, [*HEADLINE, *compared], (), limits).numbers
    labels = row_labels(table.cells, always=True)
    note = budget_note([cell.record for cell in table.cells])
    return TextTable(label_columns(labels), numbers, title=labels.common, note=note)


CONTENTS: dict[str, Callable[[ChosenTable], bytes]] = {
    "csv": lambda table: csv_text(table.wanted).encode(),
    "json": lambda table: json_text(table.wanted).encode(),
    "parquet": lambda table: parquet_content(table.wanted),
    "latex": lambda table: latex_text(plain_table(table)).encode(),
    "table": lambda table: rendered([plain_table(table)]).encode(),
}
"""Format -> the whole content of a file."""
