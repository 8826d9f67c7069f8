"""Several values of a field, and the grid that several of several fields span."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from synthbench.errors import ConfigurationError
from synthbench.plan.spacing import Scale, number_text

Value: TypeAlias = str
"""One value of one field, as it is typed in a reference: `50`, `none`, `"two words"`."""


@dataclass(frozen=True)
class Several:
    """Values that a field takes in turn: `[50,100,200]`, `log(0.01..1,7)`; all are different."""

    values: tuple[Value, ...]

    def __str__(self) -> str:
        return f"[{','.join(self.values)}]"


@dataclass(frozen=True)
class Range:
    """All numbers between two ends, among which a search chooses: `log(1e-4..1e-1)`.

    whole: the field takes integers alone.
    """

    low: float
    high: float
    scale: Scale
    whole: bool = False

    def __str__(self) -> str:
        return f"{self.scale}({number_text(self.low)}..{number_text(self.high)})"


@dataclass(frozen=True)
class Space:
    """A reference some of whose fields are not fixed: `mlp width=[50,100] lr=log(0.01..1,7)`.

    fields: in the order in which they were written.
    """

    name: str
    fields: Mapping[str, Value | Several | Range]

    @property
    def varied(self) -> tuple[str, ...]:
        """The fields that take several values, or any of a range."""
        return tuple(key for key, value in self.fields.items() if not isinstance(value, str))

    @property
    def count(self) -> int:
        """How many points there are; ConfigurationError for a range without a count."""
        return math.prod(len(each) for each in self._choices().values())

    def points(self) -> list[str]:
        """The references of the grid, the last field changing fastest.

        Raises ConfigurationError for a range without a count.
        """
        choices = self._choices()
        chosen = (dict(zip(choices, each, strict=True)) for each in product(*choices.values()))
        return [_written(self.name, each) for each in chosen]

    def point(self, values: Mapping[str, Value]) -> str:
        """The reference with these values of the varied fields, each of which needs one."""
        fixed = {key: value for key, value in self.fields.items() if isinstance(value, str)}
        chosen = {key: fixed[key] if key in fixed else values[key] for key in self.fields}
        return _written(self.name, chosen)

    def _choices(self) -> dict[str, tuple[Value, ...]]:
        return {key: values_of(value, f'"{self.name}" {key}') for key, value in self.fields.items()}


def values_of(value: Value | Several | Range, where: str) -> tuple[Value, ...]:
    """The values that a field takes; ConfigurationError, naming where, for a whole range."""
    if isinstance(value, Range):
        counted = f"{str(value)[:-1]},7)"
        raise ConfigurationError(
            f"{where} = {value} has no end of values; give a count, such as {counted}, or search "
            "it with synthbench tune"
        )
    return value.values if isinstance(value, Several) else (value,)


def _written(name: str, values: Mapping[str, Value]) -> str:
    return " ".join([name, *(f"{key}={_quoted(value)}" for key, value in values.items())])


def _quoted(value: Value) -> str:
    # A list keeps its own quotes: what splits references leaves brackets whole.
    return value if value.startswith("[") else shlex.quote(value)
