"""What a field is, wherever one of that name exists: what `synthbench show FIELD` says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from types import NoneType
from typing import Annotated, Any, Literal, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic.fields import FieldInfo

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.recipe import Recipe
from synthbench.plan.protocol import Protocol
from synthbench.registry.kinds import KINDS, MODEL, Kind
from synthbench.registry.registry import Registry

NUMBERS = {int: "a whole number", float: "a number"}
BOUNDS = ((Gt, "gt", "above"), (Ge, "ge", "at least"), (Lt, "lt", "below"), (Le, "le", "at most"))


@dataclass(frozen=True)
class FieldUse:
    """A field of one class: of a task, a model, a probe, an optimizer or a tracker."""

    kind: Kind[Any]
    owner: str
    field: FieldInfo


def field_uses(registry: Registry, name: str) -> list[FieldUse]:
    """Everything installed that has a field of its own of that name."""
    return [
        FieldUse(kind, owner, config.model_fields[name])
        for kind, owner, config in _configurations(registry)
        if name in config.model_fields and name != "recipe"
    ]


def recipe_defaults(registry: Registry, name: str) -> dict[str, Any]:
    """The models whose recipe has another default for that field than `Recipe` -> that default."""
    usual = Recipe.model_fields[name].default
    found = {
        owner: getattr(config.model_fields["recipe"].default, name)
        for kind, owner, config in _configurations(registry)
        if kind == MODEL
    }
    return {owner: value for owner, value in found.items() if value != usual}


def field_names(registry: Registry) -> list[str]:
    """Every name that `field_uses`, the recipe or the protocol knows."""
    own = [key for _, _, config in _configurations(registry) for key in config.model_fields]
    names = dict.fromkeys([*Recipe.model_fields, *Protocol.model_fields, *own])
    return [name for name in names if name != "recipe"]


def allowed_values(registry: Registry, field: FieldInfo) -> str:
    """What a field takes, in words: `a number above 0`, `sgd, adam or adamw`, `none`."""
    phrases = list(dict.fromkeys(_allowed(registry, field.annotation, field.metadata)))
    return " or ".join(filter(None, (", ".join(phrases[:-1]), *phrases[-1:])))


def allowed_words(registry: Registry, annotation: Any) -> list[str]:
    """The words that a field takes, names of installed optimizers and mixers among them."""
    if isinstance(annotation, type) and issubclass(annotation, Configuration):
        return list(registry.subclasses(annotation))
    parts = get_args(annotation)
    if get_origin(annotation) is Literal:
        return [part for part in parts if isinstance(part, str)]
    return [word for part in parts for word in allowed_words(registry, part)]


def _configurations(
    registry: Registry,
) -> Iterator[tuple[Kind[Any], str, type[Configuration]]]:
    for kind in KINDS:
        if not kind.is_file:
            for name in registry.names(kind):
                yield kind, name, registry.find(kind, name)


def _allowed(registry: Registry, annotation: Any, rules: Sequence[Any]) -> Iterator[str]:
    """One phrase for each alternative. rules: what pydantic holds numbers to."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if annotation is bool:
        yield from ("true", "false")
    elif annotation in NUMBERS:
        yield NUMBERS[annotation] + _bounds(rules)
    elif annotation is str:
        yield "a word"
    elif annotation is NoneType:
        yield "none"
    elif origin in (list, tuple):
        yield "a list, such as [20,40]"
    elif origin is Annotated:
        # A rule may stand in a `Field`.
        own = [each.metadata if isinstance(each, FieldInfo) else [each] for each in parts[1:]]
        yield from _allowed(registry, parts[0], [*rules, *chain.from_iterable(own)])
    elif origin is Literal or not parts:
        yield from allowed_words(registry, annotation)
        yield from (str(part) for part in parts if not isinstance(part, str))
    else:
        for part in parts:
            yield from _allowed(registry, part, rules)


def _bounds(rules: Sequence[Any]) -> str:
    """` above 0 and below 1`."""
    phrases = [
        f"{word} {getattr(rule, attribute):g}"
        for kind, attribute, word in BOUNDS
        for rule in rules
        if isinstance(rule, kind)
    ]
    return f" {' and '.join(phrases)}" if phrases else ""


def default_text(value: object) -> str:
    """A default as one would type it."""
    if isinstance(value, float):
        return f"{value:g}"
    return value.name if isinstance(value, Configuration) else str(value).lower()


def default_of(field: FieldInfo) -> str:
    """The default of a field, or that it has none."""
    return (
        "required"
        if field.is_required()
        else default_text(field.get_default(call_default_factory=True))
    )
