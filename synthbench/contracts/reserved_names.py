"""Names that a configuration's own class cannot use for something else."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from synthbench.errors import ConfigurationError

CALLED_BARE = ("label", "describe")
"""Methods of `Configuration` that are called without arguments."""
NAMING_FIELDS = ("headline", "sample_fields")
"""Class attributes that are tuples of names of fields."""


def check_names(cls: type[BaseModel]) -> None:
    """Raise ConfigurationError for a class with fields, methods or names of them that cannot be.

    cls: of a task, a model, a probe, an optimizer or a tracker.
    """
    for name in CALLED_BARE:
        own = cls.__dict__.get(name)
        if own is not None and not _takes_self_alone(own):
            raise ConfigurationError(
                f"{cls.__name__}: `{name}` is a method of Configuration, which is called without "
                "arguments; choose another name"
            )
    for name in cls.__annotations__ if "__annotations__" in cls.__dict__ else ():
        if name in cls.model_fields and (owner := _method_of(cls, name)):
            raise ConfigurationError(
                f"{cls.__name__}: the field `{name}` has the name of a method of {owner}; choose "
                "another name"
            )
    for naming in NAMING_FIELDS:
        for name in getattr(cls, naming, ()):
            if name not in cls.model_fields:
                known = ", ".join(cls.model_fields)
                raise ConfigurationError(
                    f"{cls.__name__}: {naming} names fields, and `{name}` is not one "
                    f"(fields: {known})"
                )


def _takes_self_alone(method: Any) -> bool:
    if not isinstance(method, Callable):  # type: ignore[arg-type]
        return False
    wanted = inspect.signature(method).parameters.values()
    needed = [
        p
        for p in wanted
        if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
    ]
    return len(needed) <= 1


def _method_of(cls: type[BaseModel], name: str) -> str:
    """The base class that has a method of that name; or nothing."""
    for base in cls.__mro__[1:]:
        if inspect.isfunction(base.__dict__.get(name)):
            return base.__name__
    return ""
