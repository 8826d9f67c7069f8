"""Several values of a field, and the grid that several of several fields span."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import TypeAlias

from synthbench.errors import ConfigurationError
from synthbench.plan.spacing import Scale, number_text

Value: TypeAlias = str
"""One value of one field, as it is typed in a reference: `50`, `none`, `"two words"`."""
NO_COUNT = "give a count of values, such as {},7)"
UNQUOTED = re.compile(r"\[|(log|linear)\([^()'\"]*\)$")


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
        return [reference_text(self.name, each) for each in chosen]

    def point(self, values: Mapping[str, Value]) -> str:
        """The reference with these values of the varied fields, each of which needs one."""
        fixed = {key: value for key, value in self.fields.items() if isinstance(value, str)}
        chosen = {key: fixed[key] if key in fixed else values[key] for key in self.fields}
        return reference_text(self.name, chosen)

    def _choices(self) -> dict[str, tuple[Value, ...]]:
        for key, value in self.fields.items():
            if isinstance(value, Range):
                raise ConfigurationError(
                    f'"{self.name}" {key} = {value}: {NO_COUNT.format(str(value)[:-1])}, or search '
                    "the range with synthbench tune"
                )
        return {key: values_of(value) for key, value in self.fields.items()}


def values_of(value: Value | Several | Range) -> tuple[Value, ...]:
    """The values that a field takes; ConfigurationError for a whole range."""
    if isinstance(value, Range):
        raise ConfigurationError(NO_COUNT.format(str(value)[:-1]))
    return value.values if isinstance(value, Several) else (value,)


def reference_text(name: str, values: Mapping[str, Value]) -> str:
    """The reference of a name and the texts of its fields, quoted where a shell would quote them.

    >>> reference_text("mlp", {"width": "[50,100]", "title": "two words"})
    "mlp width=[50,100] title='two words'"
    """
    return " ".join([name, *(f"{key}={_quoted(value)}" for key, value in values.items())])


def _quoted(value: Value) -> str:
    # Lists and spaced numbers are words of a reference as they stand.
    return value if UNQUOTED.match(value) else shlex.quote(value)
