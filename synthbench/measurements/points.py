"""Rows of measurements as numbers with intervals, at each place of a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from synthbench.errors import ConfigurationError
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.mean import median_estimate
from synthbench.metrics.proportion import success_rate
from synthbench.plan.grouping import groups
from synthbench.results.cell_fields import value_words
from synthbench.results.fields import Value
from synthbench.results.figures.points import Point
from synthbench.results.table.selection import column_finder
from synthbench.results.varying import Varying

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]
NEVER = 1e300
"""In place of infinity, which has no place in an interval."""
WIDE = 10.0
"""Ratio of largest to smallest from which numbers above 0 are on a logarithmic scale."""


@dataclass(frozen=True)
class MeasuredPoints:
    """Rows of measurements, to be drawn.

    table: the rows; fields: those of their configurations.
    """

    table: pd.DataFrame
    fields: Varying

    def column(self, name: str) -> str:
        """The column of a name; raises UnknownNameError."""
        return column_finder(self.table, self.fields)(name)

    def numbers(self, name: str) -> Array:
        """A column of numbers, NaN where a row has none; ConfigurationError for another."""
        column = self.table[self.column(name)]
        if column.dtype.kind not in "iufb":
            raise ConfigurationError(f'"{name}" is no number; name one that is measured')
        return column.to_numpy(float)

    def values(self, column: str) -> list[Value]:
        """A field of every row; None for those that do not have it."""
        missing = self.table[column].isna()
        pairs = zip(self.table[column].tolist(), missing, strict=True)
        return [None if absent else _whole(value) for value, absent in pairs]

    def varied(self, without: Sequence[str]) -> list[str]:
        """The fields that differ between these rows, but for some."""
        names = [name for name in self.fields.columns.values() if name not in without]
        return [name for name in names if len(set(self.values(name))) > 1]

    def groups(self, columns: Sequence[str]) -> list[list[int]]:
        """Places of the rows that are equal in some columns."""
        if not columns:
            return [list(range(len(self.table)))]
        return groups(list(zip(*(self.values(name) for name in columns), strict=True)))

    def label(self, columns: Sequence[str], row: int) -> str:
        """`algorithm=elimination n=20`: a row by some of its fields, those that it has."""
        pairs = ((name, self.values(name)[row]) for name in columns)
        return " ".join(f"{name}={value_words(v)}" for name, v in pairs if v is not None)


def point_of(values: Array) -> Point:
    """The median of the seeds with its interval; of what is 0 or 1, its share.

    What is infinite is drawn nowhere, and is more than all else.
    """
    known = values[~np.isnan(values)]
    found = _share(known) if _is_event(known) else median_estimate(np.minimum(known, NEVER))
    ends = (found.value, found.low, found.high)
    value, low, high = (None if end is None or end >= NEVER / 2 else end for end in ends)
    return Point(value, low, high, None)


def is_share(values: Array) -> bool:
    """Whether all lie within 0 to 1."""
    known = values[~np.isnan(values)]
    return bool(len(known)) and bool(np.all((known >= 0) & (known <= 1)))


def is_wide(values: Array) -> bool:
    """Whether all that are finite are above 0, and far apart."""
    known = values[np.isfinite(values)]
    return bool(len(known)) and bool(known.min() > 0 and known.max() > WIDE * known.min())


def _is_event(known: Array) -> bool:
    return bool(len(known)) and bool(np.all((known == 0) | (known == 1)))


def _share(known: Array) -> Estimate:
    return success_rate(int(known.sum()), len(known))


def _whole(value: Any) -> Value:
    """Whole numbers that a gap in their column has made floats."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value  # type: ignore[no-any-return]
