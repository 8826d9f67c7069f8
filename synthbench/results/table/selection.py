"""Which rows of a table are wanted, in which order, and which columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synthbench.errors import ConfigurationError, UnknownNameError, did_you_mean
from synthbench.metrics.quantity import FLOPS, SAMPLES, STEPS
from synthbench.results.table.condition import Row, matching
from synthbench.results.table.names import HIGH, LOW, QUANTITIES
from synthbench.results.varying import Varying

if TYPE_CHECKING:
    import pandas as pd

DESCENDING = "-"
MEASURED = "measured."
"""Before the name of a column that is no field, where a field has that name too."""
TIMES = {
    quantity.name + end
    for group in QUANTITIES
    for quantity in group
    if quantity.unit in (SAMPLES, STEPS, FLOPS)
    for end in ("", LOW, HIGH)
}
"""Columns of times, where what is not there lies beyond the budget."""


@dataclass(frozen=True)
class Selection:
    """What is wanted of a table; nothing: all of it, as it is.

    where: a condition as `condition` reads it. sort: columns, the first counts most; `-` before
    one begins with the largest. columns: in this order.
    """

    where: str | None = None
    sort: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()


def rows_where(frame: pd.DataFrame, fields: Varying, where: str | None) -> list[int]:
    """Places of the rows that meet a condition.

    frame: with every column that a name may mean; fields: which of them are fields. A time beyond
    the budget is larger than any; what is missing otherwise is `none`. Raises UnknownNameError
    for a column that there is not, ConfigurationError for what is no condition.
    """
    if where is None:
        return list(range(len(frame)))
    kept = matching(_rows(frame), where, column_finder(frame, fields))
    return [place for place, wanted in enumerate(kept) if wanted]


def rows_sorted(frame: pd.DataFrame, fields: Varying, sort: Sequence[str]) -> list[int]:
    """Places of all rows, in the order of some columns; what is missing comes last.

    Raises UnknownNameError for a column that there is not, ConfigurationError for one of curves.
    """
    find, rows = column_finder(frame, fields), _rows(frame) if sort else []
    order = list(range(len(frame)))
    for name in reversed(sort):
        order = _sorted(order, rows, find(name.removeprefix(DESCENDING)), name[:1] == DESCENDING)
    return order


def column_finder(frame: pd.DataFrame, fields: Varying) -> Callable[[str], str]:
    """The column that a name means: its own, or that of a field by its path or own name.

    `measured.width` is never a field. Where a field that differs has the name of what is measured,
    the name alone could be read as either, and is refused.
    """

    def find(name: str) -> str:
        measured = name.removeprefix(MEASURED)
        if measured != name and measured in frame.columns:
            return measured
        meant = [path for path in fields.paths if path.partition(".")[2] == name]
        if meant and name in frame.columns and name not in fields.names:
            choices = " or ".join([*meant, MEASURED + name])
            raise ConfigurationError(f'"{name}" may be {choices}; write one of them')
        if name in frame.columns:
            return name
        found = fields.columns[fields.find(name)] if fields.has(name) else name
        if found in frame.columns:
            return found
        raise UnknownNameError(_unknown(name, list(frame.columns), fields))

    return find


def _unknown(name: str, columns: Sequence[str], fields: Varying) -> str:
    own = set(fields.columns.values())
    others = [c for c in columns if c not in own and not c.endswith((LOW, HIGH))]
    suggestion = did_you_mean(name, [*columns, *fields.columns])
    return (
        f'no column "{name}"{suggestion} (fields that vary: {", ".join(fields.names) or "none"}; '
        f"others: {', '.join(others)})"
    )


def _rows(frame: pd.DataFrame) -> list[Row]:
    return [
        {str(name): _known(name, value) for name, value in row.items()}
        for row in frame.to_dict("records")
    ]


def _known(name: Any, value: Any) -> Any:
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return (math.inf if name in TIMES else None) if missing else value


def _sorted(order: Sequence[int], rows: Sequence[Row], column: str, descending: bool) -> list[int]:
    """The places by one column; equal ones stay in their order, missing ones come last."""
    values = {place: rows[place][column] for place in order}
    known = [place for place in order if values[place] is not None]
    if any(not isinstance(values[place], int | float | str) for place in known):
        raise ConfigurationError(f'"{column}" is a curve, which has no order')
    known.sort(key=lambda p: (isinstance(values[p], str), values[p]), reverse=descending)
    return known + [place for place in order if values[place] is None]
