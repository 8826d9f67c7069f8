"""A tidy table as the text of a file that other programs read: CSV, JSON, Parquet, LaTeX."""

from __future__ import annotations

import json
import math
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np

from synthbench.results.table.text_table import TableCell, TextTable

if TYPE_CHECKING:
    import pandas as pd

LARGEST_EXACT = 2**53
"""Up to here every whole number is a float."""


def csv_text(frame: pd.DataFrame) -> str:
    """Comma-separated values with a heading; what is missing is empty, a curve is a JSON list."""
    whole = _without_needless_decimals(frame)
    for name in whole.columns:
        if any(isinstance(value, np.ndarray | list) for value in whole[name]):
            whole[name] = [json.dumps(_json_value(value)) for value in whole[name]]
    return str(whole.to_csv(index=False, lineterminator="\n"))


def json_text(frame: pd.DataFrame) -> str:
    """A list of objects, one for each row; what is missing is null."""
    rows = _without_needless_decimals(frame).astype(object).to_dict("records")
    plain = [{name: _json_value(value) for name, value in row.items()} for row in rows]
    lines = ",\n".join(json.dumps(row, allow_nan=False, ensure_ascii=False) for row in plain)
    return f"[\n{lines}\n]\n" if plain else "[]\n"


def parquet_content(frame: pd.DataFrame) -> bytes:
    """Apache Parquet; a column of numbers and words, such as batch_size=full, is one of texts."""
    columns = {name: _of_one_type(frame[name]) for name in frame.columns}
    buffer = BytesIO()
    frame.assign(**columns).to_parquet(buffer, index=False)
    return buffer.getvalue()


def latex_text(table: TextTable) -> str:
    r"""A `tabular` with the rules of the package booktabs; every text is escaped.

    Above it a comment with the table's title and note.
    """
    import pandas as pd

    columns = [*table.labels, *table.numbers]
    texts = {column.heading: [_one_line(cell) for cell in column.cells] for column in columns}
    styler = pd.DataFrame(texts).style.hide(axis="index").format(escape="latex")
    body = styler.format_index(escape="latex", axis="columns").to_latex(
        hrules=True, column_format="".join("r" if column.number else "l" for column in columns)
    )
    # In text these are other characters in LaTeX's oldest encoding.
    body = body.replace("<", "$<$").replace(">", "$>$")
    words = "; ".join(" ".join(part.split()) for part in (table.title, table.note) if part)
    return f"% {words}; intervals at 95%\n% \\usepackage{{booktabs}}\n{body}"


def _one_line(cell: TableCell) -> str:
    text = " ".join([cell.value, ", ".join(cell.detail.splitlines())])
    return " ".join(text.split())


def _without_needless_decimals(frame: pd.DataFrame) -> pd.DataFrame:
    """Whole numbers as such also where some rows have none: pandas would write 20 as 20.0."""
    whole = frame.copy(deep=False)
    for name in whole.columns:
        known = whole[name].dropna()
        if whole[name].dtype == float and len(known) and known.map(_is_exact).all():
            whole[name] = whole[name].astype("Int64")
    return whole


def _is_exact(value: float) -> bool:
    return value.is_integer() and abs(value) <= LARGEST_EXACT


def _json_value(value: Any) -> Any:
    """A JSON value; null for what is missing, undefined or infinite."""
    if isinstance(value, np.ndarray | list):
        return [_json_value(each) for each in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | bool | int):
        return value
    return float(value) if isinstance(value, float) and math.isfinite(value) else None


def _of_one_type(values: pd.Series[Any]) -> pd.Series[Any]:
    kinds = {isinstance(value, str) for value in values.dropna()}
    if values.dtype != object or len(kinds) < 2:
        return values
    return values.map(lambda value: None if value is None else str(value))
