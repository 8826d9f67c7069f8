"""Protocols some of whose fields take several values, from what people write of each field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import product

from pydantic import ValidationError

from synthbench.errors import ConfigurationError, did_you_mean, first_mistake
from synthbench.plan.counts import parse_count
from synthbench.plan.field_values import FieldType, field_type, field_value, read_values
from synthbench.plan.protocol import Protocol
from synthbench.plan.space import Range, Several, Value, values_of

COUNTS = ("budget", "train_samples")
"""Numbers of samples, which may be written 640k."""
SINGLE = {
    "seeds": "the replicas of more seeds are those of fewer and others; ask for the most",
    "first_seed": "replicas of other seeds belong to the same cell; ask for more seeds",
}
"""Fields that make no other cell, and what to do instead of giving several."""


def protocol_changes(
    texts: Mapping[str, str], named: Callable[[str, str], str]
) -> list[dict[str, object]]:
    """The fields of every protocol of a grid, by name, the last field changing fastest.

    texts: of each field, such as `log(500..16000,6)` or `[20k,40k]`. named: a field and its text
    as the caller's user knows them, which begin a message. Raises ConfigurationError for a field
    that does not exist and for values that cannot be read or are not allowed.
    """
    choices: dict[str, list[object]] = {}
    for field, text in texts.items():
        try:
            choices[field] = allowed_values(field, text)
        except ConfigurationError as error:
            raise ConfigurationError(f"{named(field, text)}: {error}") from None
    return [dict(zip(choices, each, strict=True)) for each in product(*choices.values())]


def varied_protocol_fields(texts: Mapping[str, str]) -> list[str]:
    """The fields whose texts stand for several values."""
    return [field for field, text in texts.items() if not isinstance(_read(field, text), str)]


def allowed_values(field: str, written: str) -> list[object]:
    """The values of one field, each as the protocol has it.

    written: one value or several. Raises ConfigurationError, without the place, for a field that
    does not exist and for values that cannot be read or are not allowed.
    """
    if field not in Protocol.model_fields:
        known = list(Protocol.model_fields)
        raise ConfigurationError(
            f"a protocol has no such field{did_you_mean(field, known)} (fields: {', '.join(known)})"
        )
    found = _read(field, written)
    if field in SINGLE and not isinstance(found, str):
        raise ConfigurationError(f"one number is expected; {SINGLE[field]}")
    values: list[object] = []
    for text in values_of(found):
        try:
            value = _typed(field, text)
        except ValidationError as error:
            which = "" if isinstance(found, str) else f"{text}: "
            raise ConfigurationError(f"{which}{first_mistake(error).message}") from None
        if value in values:
            raise ConfigurationError(f"{text} is there twice")
        values.append(value)
    return values


def _read(field: str, text: str) -> Value | Several | Range:
    return read_values(text, _type(field))


def _type(field: str) -> FieldType:
    kind = field_type(Protocol.model_fields[field].annotation)
    return replace(kind, number=parse_count) if field in COUNTS else kind


def _typed(field: str, text: Value) -> object:
    """A value as the protocol has it; pydantic's ValidationError where it may not have it."""
    value = field_value(text)
    if field in COUNTS and value is not None:
        value = parse_count(text)
    return getattr(Protocol.model_validate({field: value}), field)
