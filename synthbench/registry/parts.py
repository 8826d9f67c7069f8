"""Fields that hold a configuration of their own: `transformer mixer=gla mixer.rank=4`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

from synthbench.contracts.configuration import Configuration
from synthbench.errors import ConfigurationError
from synthbench.registry.reference import refuse_unknown_field, validated

Find = Callable[[str, type[Configuration], str], type[Configuration]]
"""From a field, what a part in it must be, and the part's name, to its class."""


def part_of(annotation: Any) -> type[Configuration] | None:
    """What a field of that type holds: the class of a part, abstract or not, or None."""
    if isinstance(annotation, type) and issubclass(annotation, Configuration):
        return annotation
    found = (part_of(each) for each in get_args(annotation))
    return next((part for part in found if part is not None), None)


def part_fields(cls: type[Configuration]) -> dict[str, type[Configuration]]:
    """The fields that hold parts, and what each must be."""
    found = {key: part_of(field.annotation) for key, field in cls.model_fields.items()}
    return {key: part for key, part in found.items() if part is not None}


def nest_parts(
    cls: type[Configuration], fields: Mapping[str, object], find: Find
) -> dict[str, object]:
    """Make the parts that a reference names, with the fields that it writes with a dot.

    Raises ConfigurationError for a field that a part does not have, and for one of no part.
    """
    nested = dict(fields)
    for key, contract in part_fields(cls).items():
        prefix = f"{key}."
        dotted = {name: nested.pop(name) for name in fields if name.startswith(prefix)}
        name = nested.get(key)
        if isinstance(name, str):
            nested[key] = _made(
                find(key, contract, name), {k.removeprefix(prefix): v for k, v in dotted.items()}
            )
        elif dotted:
            raise ConfigurationError(
                f'"{next(iter(dotted))}" needs {key}=NAME beside it (synthbench show {cls.name})'
            )
    return nested


def _made(found: type[Configuration], fields: Mapping[str, object]) -> Configuration:
    for key in fields:
        refuse_unknown_field(found.name, key, list(found.fields_as_part()))
    return validated(found, found.name, fields)
