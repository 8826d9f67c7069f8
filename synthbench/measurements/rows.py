"""What some configurations measured: a row for each seed of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from synthbench.errors import ConfigurationError
from synthbench.measurements.store import SEED, Measured
from synthbench.results.table.selection import TIMES
from synthbench.results.varying import Varying

if TYPE_CHECKING:
    import pandas as pd

NAME = "measurement"
"""The column with the name of what was measured."""
TAKEN = frozenset({NAME, SEED, *TIMES})
"""Columns of which a table knows what they are."""


@dataclass(frozen=True)
class MeasuredRows:
    """Configurations of measurements, in the order of their grid, each with all of its rows."""

    parts: tuple[Measured, ...]

    def __len__(self) -> int:
        """How many configurations there are."""
        return len(self.parts)

    def __iter__(self) -> Iterator[Measured]:
        """One configuration after the other."""
        return iter(self.parts)

    def table(self) -> pd.DataFrame:
        """One row for each seed of each configuration.

        Columns: `measurement`, every field, `seed`, and every number that was measured.
        """
        import pandas as pd

        rows = [
            {NAME: part.record.measurement["name"], **fields_of(part), SEED: seed, **row}
            for part in self.parts
            for seed, row in zip(part.record.seeds, part.rows, strict=True)
        ]
        return pd.DataFrame(rows)

    @property
    def varying(self) -> Varying:
        """Which fields differ between the configurations; a field is its own column."""
        cells = tuple({NAME: p.record.measurement["name"], **fields_of(p)} for p in self.parts)
        paths = list(dict.fromkeys(path for cell in cells for path in cell))
        return Varying(
            tuple(path for path in paths if len({cell.get(path) for cell in cells}) > 1),
            {path: path for path in paths},
            cells,
        )


def fields_of(part: Measured) -> dict[str, Any]:
    """The fields of a configuration by their names; of a list its text."""
    own = {k: v for k, v in part.record.measurement.items() if k not in ("name", "version")}
    return {key: _plain(value) for key, value in own.items()}


def check_rows(label: str, count: int, rows: object, fields: Sequence[str]) -> list[dict[str, Any]]:
    """What a measurement returned for so many seeds, as rows of numbers.

    Raises ConfigurationError for anything else, and for a number with the name of a field.
    """
    if not isinstance(rows, Sequence) or len(rows) != count:
        raise ConfigurationError(f'"{label}" must return one row for each of {count} seeds')
    found = []
    for row in rows:
        if not isinstance(row, Mapping) or not row:
            raise ConfigurationError(f'"{label}" must return rows of named numbers, got {row!r}')
        for name, value in row.items():
            if not isinstance(name, str) or name in fields or name in TAKEN:
                raise ConfigurationError(
                    f'"{label}" measures {name!r}, which is the name of another column'
                )
            if not isinstance(value, int | float):
                raise ConfigurationError(f'"{label}" measures {name} = {value!r}, not a number')
        found.append({name: float(value) for name, value in row.items()})
    return found


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | None) else str(value)
