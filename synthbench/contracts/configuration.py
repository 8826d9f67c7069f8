"""What tasks, models, probes and trackers have in common: a name and validated, frozen fields."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from pydantic import BaseModel

from synthbench.contracts.frozen import Frozen
from synthbench.contracts.reserved_names import check_names


class Configuration(Frozen):
    """A frozen pydantic model whose fields are the whole configuration.

    `name` is what people type. `version` goes up when the same fields begin to mean
    something else, so that old and new results are never mixed. `headline` names the fields
    that labels always show, even at their defaults.
    """

    name: ClassVar[str]
    version: ClassVar[int] = 1
    headline: ClassVar[tuple[str, ...]] = ()
    paper: ClassVar[str] = ""

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse names that mean something else here, as the class is made."""
        super().__pydantic_init_subclass__(**kwargs)
        check_names(cls)

    def label(self) -> str:
        """The reference that rebuilds this configuration: `sparse-parity n=30 k=3`.

        Shows the headline fields and every field that is not at its default.
        """
        return " ".join([self.name, *field_tokens(self, self.headline)])

    def describe(self) -> dict[str, Any]:
        """Name, version and all fields as JSON values: what a plan and a record hold."""
        return {"name": self.name, "version": self.version, **self.model_dump(mode="json")}

    @classmethod
    def fields_as_part(cls) -> tuple[str, ...]:
        """The fields that count where it is a part of another configuration: all, here."""
        return tuple(cls.model_fields)


def configurations_in(config: BaseModel) -> dict[str, Configuration]:
    """The fields that hold configurations of their own, such as the mixer of a transformer."""
    return {key: value for key, value in config if isinstance(value, Configuration)}


def field_tokens(config: BaseModel, always: tuple[str, ...] = ()) -> list[str]:
    """`key=value` tokens: the fields in `always`, then all that are not at their defaults.

    A nested recipe is flattened: its tokens come last.
    """
    fields = type(config).model_fields
    rest = [key for key in fields if key not in always]
    parts = configurations_in(config)
    rest.sort(key=lambda key: key not in parts and isinstance(getattr(config, key), BaseModel))
    tokens: list[str] = []
    for key in (*always, *rest):
        value, default = getattr(config, key), fields[key].get_default(call_default_factory=True)
        if isinstance(value, Configuration):
            # What is not at its default alone: a part's headline is for where it stands alone.
            tokens += _part_tokens(key, value) if value != default else []
        elif isinstance(value, BaseModel):
            tokens += changed_tokens(value, default)
        elif key in always or value != default:
            tokens.append(f"{key}={_token_value(value)}")
    return tokens


def changed_tokens(config: BaseModel, default: BaseModel) -> list[str]:
    """`key=value` tokens of the fields in which `config` differs from `default`."""
    tokens: list[str] = []
    for key in type(config).model_fields:
        value = getattr(config, key)
        if value == getattr(default, key):
            continue
        if isinstance(value, Configuration):
            tokens += _part_tokens(key, value, value.headline)
        else:
            tokens.append(f"{key}={_token_value(value)}")
    return tokens


def _part_tokens(key: str, part: Configuration, always: tuple[str, ...] = ()) -> list[str]:
    """`optimizer=muon optimizer.momentum=0.9`: a named part, then what is special about it."""
    return [f"{key}={part.name}", *(f"{key}.{token}" for token in field_tokens(part, always))]


def _token_value(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return json.dumps(value, separators=(",", ":"))
