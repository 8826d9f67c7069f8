"""What people type: `'sparse-parity n=40 k=3'`, a registered name, then `field=value` tokens."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from types import NoneType
from typing import Literal, NamedTuple, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from synthbench.errors import ConfigurationError, did_you_mean, first_mistake
from synthbench.plan.brackets import closing
from synthbench.plan.field_values import FieldType, field_value, read_values
from synthbench.plan.space import Range, Several, Value

B = TypeVar("B", bound=BaseModel)
PIECE = re.compile(r"""=(?:\[|(?:log|linear)\()|\\.|'[^']*'|"(?:\\.|[^"\\])*"|.""", re.DOTALL)
"""What opens a list of values, or else an escaped, a quoted or a plain piece of a reference."""


class Reference(NamedTuple):
    """A reference in its parts: a registered name, the name of a preset, tokens by field."""

    name: str
    preset: str | None
    tokens: dict[str, str]


def split_reference(reference: str) -> Reference:
    """Split `'name preset key=value ...'` into its parts, of which the name alone must be there.

    Words are those of a shell, and a list such as `[50, 100]` or `log(0.01..1, 7)` is one of them
    as it stands. Raises ConfigurationError for an empty reference, another word without `=`, a
    repeated key or a bracket that is not closed.

    >>> split_reference("sparse-parity small k=3")
    Reference(name='sparse-parity', preset='small', tokens={'k': '3'})
    """
    try:
        words = shlex.split(_with_quoted_lists(reference))
    except ValueError as error:
        raise ConfigurationError(f"cannot read {reference!r}: {error}") from None
    if not words:
        raise ConfigurationError("a reference must begin with a name, got an empty string")
    tokens: dict[str, str] = {}
    name, *rest = words
    preset = rest.pop(0) if rest and "=" not in rest[0] else None
    for word in rest:
        key, equals, text = word.partition("=")
        if not (key and equals):
            raise ConfigurationError(
                f"{not_a_field(reference, word)}; a preset stands right behind the name"
            )
        if key in tokens:
            raise ConfigurationError(f'field "{key}" is given twice in {reference!r}')
        tokens[key] = text
    return Reference(name, preset, tokens)


def not_a_field(reference: str, word: str) -> ConfigurationError:
    """The error about a word of a reference that should be a field with its value."""
    return ConfigurationError(
        f'cannot read "{word}" in {reference!r}: write field=value, for example n=40'
    )


def _with_quoted_lists(reference: str) -> str:
    """The reference as a shell would have to read it: every list of values between quotes."""
    found, place = [], 0
    while place < len(reference):
        piece = PIECE.match(reference, place)
        assert piece is not None
        end = piece.end()
        if len(piece[0]) > 1 and piece[0].startswith("="):
            end = closing(reference, end - 1)
            found.append("=" + shlex.quote(reference[place + 1 : end]))
        else:
            found.append(piece[0])
        place = end
    return "".join(found)


def values_in(name: str, key: str, text: str, kind: FieldType) -> Value | Several | Range:
    """One value or several of a field of that type; ConfigurationError, which names the field."""
    try:
        return read_values(text, kind)
    except ConfigurationError as error:
        raise ConfigurationError(f'"{name}" {key} = {text}: {error}') from None


def typed_value(cls: type[BaseModel], key: str, text: str) -> object:
    """What a token's text stands for in a field: one of the field's words, or `field_value`.

    So `none` is a word where the field has that word, and may not be nothing.
    """
    field = cls.model_fields.get(key)
    words = _choices(field.annotation) if field is not None else ()
    return text if text in words and None not in words else field_value(text)


def _choices(annotation: object) -> tuple[object, ...]:
    """The values of a Literal, and None where it is allowed; a union's are those of its parts."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    if annotation is NoneType:
        return (None,)
    return tuple(value for part in get_args(annotation) for value in _choices(part))


def refuse_unknown_field(name: str, key: str, allowed: list[str]) -> None:
    """Raise ConfigurationError, with a suggestion, unless the field is one of those."""
    if key not in allowed:
        raise ConfigurationError(
            f'"{name}" has no field "{key}"{did_you_mean(key, allowed)} '
            f"(fields: {', '.join(allowed)})"
        )


def validated(cls: type[B], name: str, fields: Mapping[str, object]) -> B:
    """The object with these fields; ConfigurationError, naming `name`, for the first mistake."""
    try:
        return cls(**fields)
    except ValidationError as error:
        field, message, given = first_mistake(error)
        where = f"{field} = {given!r}: " if field else ""
        raise ConfigurationError(f'"{name}" {where}{message}') from None
