"""From the text of one field to one value, several of them, or a range to search."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, cast, get_args, get_origin

from synthbench.errors import ConfigurationError
from synthbench.plan.brackets import closing, depth, parts
from synthbench.plan.space import Range, Several, Value
from synthbench.plan.spacing import Scale, spaced

Numbers: TypeAlias = Literal["whole", "real"]
SPACED = re.compile(r"(log|linear)\((.*)\)", re.DOTALL)
ANY_DEPTH = 99
"""Of a field that takes anything: a list is always one value of it."""
TEXTS = (str, bytes)
"""Sequences of letters, which are one value."""


@dataclass(frozen=True)
class FieldType:
    """What decides how the text of a field is read.

    lists: how deep the lists are nested that are one value of it, 0 for none. numbers: the kind
    that it takes, if it takes any. number: reads one.
    """

    lists: int = 0
    numbers: Numbers | None = None
    number: Callable[[str], float] = float


def field_type(annotation: Any) -> FieldType:
    """The type of a field with this annotation; a union's is all that its parts allow."""
    if annotation in (Any, object):
        return FieldType(ANY_DEPTH)
    if annotation in (int, float):
        return FieldType(numbers="whole" if annotation is int else "real")
    origin, arguments = get_origin(annotation) or annotation, get_args(annotation)
    if origin is Annotated:
        return field_type(arguments[0])
    if origin in (Union, UnionType):
        found = [field_type(each) for each in arguments]
        kinds = {each.numbers for each in found}
        numbers: list[Numbers] = [kind for kind in ("real", "whole") if kind in kinds]
        return FieldType(max(each.lists for each in found), next(iter(numbers), None))
    if isinstance(origin, type) and issubclass(origin, Sequence | Set) and origin not in TEXTS:
        inner = [field_type(each).lists for each in arguments if each is not ...]
        return FieldType(1 + max(inner, default=0))
    return FieldType()


def read_values(text: str, kind: FieldType) -> Value | Several | Range:
    """What a field's text stands for: `50`, `[50,100]`, `log(0.01..1,7)`, `linear(0..0.5)`.

    A list where the field takes one is one value, `[[20,40],[80]]` are two. Raises
    ConfigurationError for what cannot be read, without the place, which the caller knows.
    """
    text = text.strip()
    if kind.numbers is not None and (found := SPACED.fullmatch(text)):
        return _spaced(cast("Scale", found[1]), found[2], kind)
    if not text.startswith("[") or depth(text) <= kind.lists:
        return text
    return _one_or_several(_listed(text, kind))


def field_value(text: str) -> object:
    """What a value's text stands for: JSON, `none` in any case, or a word."""
    if text.lower() == "none":
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _listed(text: str, kind: FieldType) -> list[Value]:
    """The values of a list, among which may be spaced numbers."""
    if (rest := text[closing(text, 0) :]).strip():
        raise ConfigurationError(f'"{rest}" stands behind the list')
    values: list[Value] = []
    for part in parts(text[1:-1]):
        if not part:
            raise ConfigurationError("a value is missing before or after a comma")
        found = read_values(part, FieldType(ANY_DEPTH, kind.numbers, kind.number))
        if isinstance(found, Range):
            raise ConfigurationError(f"{found} needs a count here, as in {str(found)[:-1]},7)")
        values += found.values if isinstance(found, Several) else [_unquoted(found)]
    return values


def _one_or_several(values: list[Value]) -> Value | Several:
    """One value alone stands for itself; ConfigurationError for none, and for one given twice."""
    if not values:
        raise ConfigurationError("the list is empty; write values such as [50,100]")
    seen: list[tuple[bool, object]] = []
    for text in values:
        value = field_value(text)
        # In Python true is 1, and in a field it is not.
        if (marked := (isinstance(value, bool), value)) in seen:
            raise ConfigurationError(f"{text} is there twice")
        seen.append(marked)
    return values[0] if len(values) == 1 else Several(tuple(values))


def _unquoted(text: str) -> Value:
    """A quoted word as JSON, so that it stays a word: `'a b'` and `"a b"` are `"a b"`."""
    return json.dumps(text[1:-1]) if text[0] == text[-1] == "'" and len(text) > 1 else text


def _spaced(scale: Scale, inside: str, kind: FieldType) -> Value | Several | Range:
    """What `log(...)` or `linear(...)` stands for."""
    ends, comma, count = inside.partition(",")
    first, dots, last = ends.partition("..")
    if not dots:
        raise ConfigurationError(f"write both ends, as in {scale}(0.01..1,7)")
    low, high = _number(first, kind), _number(last, kind)
    if not low < high:
        raise ConfigurationError("the smaller end comes first")
    if scale == "log" and low <= 0:
        raise ConfigurationError("the ends of a log scale are above 0; linear(...) may have 0")
    whole = kind.numbers == "whole"
    if not comma:
        return Range(low, high, scale, whole)
    if not count.strip().isdecimal() or int(count) < 2:
        raise ConfigurationError(f'"{count.strip()}" is not a number of values, 2 or more')
    return Several(spaced(low, high, int(count), scale, whole))


def _number(text: str, kind: FieldType) -> float:
    try:
        number = kind.number(text.strip())
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ConfigurationError(f'"{text.strip()}" is not a number')
    if kind.numbers == "whole" and number != int(number):
        raise ConfigurationError(f'"{text.strip()}" is not a whole number')
    return number
