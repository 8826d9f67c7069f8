"""From names and references to validated objects.

`'sparse-parity n=40 k=3'` is a reference: a registered name, then `field=value` tokens.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar, cast

from pydantic import BaseModel, ValidationError

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.model import Model
from synthbench.contracts.probe import Probe
from synthbench.contracts.recipe import ELEMENTWISE, Optimizer, Recipe
from synthbench.contracts.task import Task
from synthbench.errors import ConfigurationError, RecordError, UnknownNameError, did_you_mean
from synthbench.listeners.tracker import Tracker
from synthbench.plan.suite import Suite
from synthbench.registry.host import KINDS, Plugin, PluginHost

B = TypeVar("B", bound=BaseModel)

OPTIMIZER_PREFIX = "optimizer."
"""Before a field of the recipe's optimizer, in a model's reference."""


@dataclass(frozen=True)
class Registry:
    """Looks up what the plugins provide."""

    host: PluginHost

    def names(self, kind: str) -> dict[str, Plugin]:
        """Name -> providing plugin, for one of the kinds in `KINDS`."""
        return {
            name: plugin
            for plugin in self.host.plugins
            for name in (plugin.suites if kind == "suites" else plugin.classes[kind])
        }

    def kinds_of(self, name: str) -> list[str]:
        """The kinds under which a name is registered."""
        return [kind for kind in KINDS if name in self.names(kind)]

    def find(self, kind: str, name: str) -> type[Configuration]:
        """The class of that name; UnknownNameError with a suggestion otherwise."""
        return self._provider(kind, name).classes[kind][name]

    def suite(self, name: str) -> Suite:
        """The suite of that name; UnknownNameError with a suggestion otherwise."""
        return self._provider("suites", name).suites[name]

    def task(self, reference: str | Task) -> Task:
        """A task from a reference such as `'sparse-parity n=40 k=3'`."""
        return (
            reference
            if isinstance(reference, Task)
            else cast(Task, self._parse("tasks", reference))
        )

    def model(self, reference: str | Model) -> Model:
        """A model from a reference such as `'mlp width=200 lr=0.05'`."""
        if isinstance(reference, Model):
            return reference
        return cast(Model, self._parse("models", reference))

    def probe(self, reference: str | Probe) -> Probe:
        """A probe from a reference."""
        if isinstance(reference, Probe):
            return reference
        return cast(Probe, self._parse("probes", reference))

    def optimizer(self, reference: str | Optimizer) -> Optimizer:
        """An optimizer of a plugin, from a reference such as `'muon momentum=0.9'`."""
        if isinstance(reference, Optimizer):
            return reference
        return cast(Optimizer, self._parse("optimizers", reference))

    def tracker(self, reference: str | Tracker) -> Tracker:
        """A tracker from a reference such as `'wandb project=acme/parity'`."""
        if isinstance(reference, Tracker):
            return reference
        return cast(Tracker, self._parse("trackers", reference))

    def rebuild(self, kind: str, description: Mapping[str, Any]) -> Configuration:
        """The object whose `describe()` is given, as stored in a record.

        Raises RecordError when the installed class, or that of its recipe's optimizer, is of
        another version.
        """
        fields = dict(description)
        name, version = str(fields.pop("name")), fields.pop("version")
        found = self.find(kind, name)
        if found.version != version:
            raise RecordError(
                f'{kind[:-1]} "{name}" is of version {found.version} here, {version} in the record'
            )
        recipe = fields.get("recipe")
        if isinstance(recipe, Mapping) and isinstance(recipe.get("optimizer"), Mapping):
            optimizer = self.rebuild("optimizers", recipe["optimizer"])
            fields["recipe"] = {**recipe, "optimizer": optimizer}
        return _validated(found, name, fields)

    def _parse(self, kind: str, reference: str) -> Configuration:
        name, tokens = split_reference(reference)
        found = self.find(kind, name)
        fields = {key: _value(text) for key, text in tokens.items()}
        return _validated(found, name, self._nest(found, name, fields))

    def _nest(
        self, cls: type[Configuration], name: str, fields: dict[str, object]
    ) -> dict[str, object]:
        """Move the recipe's fields, which a reference writes beside the model's, into the recipe.

        Those of the optimizer, `optimizer.field`, go into the optimizer.
        """
        own = cls.model_fields
        recipe = own["recipe"].default if "recipe" in own else None
        recipe_fields = type(recipe).model_fields if recipe is not None else {}
        allowed = [key for key in (*own, *recipe_fields) if key != "recipe"]
        dotted = {k: v for k, v in fields.items() if k.startswith(OPTIMIZER_PREFIX)}
        for key in fields:
            if key not in allowed and not (key in dotted and recipe is not None):
                raise ConfigurationError(
                    f'"{name}" has no field "{key}"{did_you_mean(key, allowed)} '
                    f"(fields: {', '.join(allowed)})"
                )
        nested = {key: value for key, value in fields.items() if key in own}
        changes = {k: v for k, v in fields.items() if k not in own and k not in dotted}
        if recipe is not None and (changes or dotted):
            changes |= self._chosen_optimizer(recipe, changes.get("optimizer"), dotted)
            nested["recipe"] = _validated(type(recipe), name, {**dict(recipe), **changes})
        return nested

    def _chosen_optimizer(
        self, recipe: Recipe, wanted: object, dotted: Mapping[str, object]
    ) -> dict[str, object]:
        """The recipe's optimizer where a reference names a plugin's, or changes its fields."""
        chosen = recipe.optimizer if wanted is None else wanted
        if chosen in ELEMENTWISE or not isinstance(chosen, str | Optimizer):
            if dotted:
                raise ConfigurationError(
                    f'"{next(iter(dotted))}" needs an optimizer of a plugin, and this is {chosen} '
                    "(synthbench list optimizers)"
                )
            return {}
        if isinstance(chosen, str):
            known = [*ELEMENTWISE, *self.names("optimizers")]
            if chosen not in known:
                raise UnknownNameError(
                    f'unknown optimizer "{chosen}"{did_you_mean(chosen, known)} '
                    f"(optimizers: {', '.join(known)}; synthbench list optimizers){self._failed()}"
                )
        own = {key.removeprefix(OPTIMIZER_PREFIX): value for key, value in dotted.items()}
        kind = self.find("optimizers", chosen) if isinstance(chosen, str) else type(chosen)
        start = {} if isinstance(chosen, str) else dict(chosen)
        _refuse_unknown(kind, own)
        return {"optimizer": _validated(kind, kind.name, {**start, **own})}

    def _provider(self, kind: str, name: str) -> Plugin:
        known = self.names(kind)
        if name in known:
            return known[name]
        message = f'unknown {kind[:-1]} "{name}"{did_you_mean(name, known)}'
        message = f"{message.rstrip('?')}? (" if message.endswith("?") else f"{message} ("
        raise UnknownNameError(f"{message}synthbench list {kind}){self._failed()}")

    def _failed(self) -> str:
        """What did not load, for the error about a name that may have come with it."""
        failed = "".join(f"\n  {line}" for line in self.host.absent())
        if not self.host.plugins and not failed:
            failed = "\n  no plugins were found; install the package with pip first"
        return failed


@lru_cache(maxsize=1)
def installed() -> Registry:
    """The registry of everything installed in this environment, loaded once."""
    return Registry(PluginHost.from_entry_points())


def split_reference(reference: str) -> tuple[str, dict[str, str]]:
    """Split `'name key=value ...'` into the name and its tokens.

    Raises ConfigurationError for an empty reference, a token without `=` or a repeated key.

    >>> split_reference("sparse-parity n=40 k=3")
    ('sparse-parity', {'n': '40', 'k': '3'})
    """
    try:
        words = shlex.split(reference)
    except ValueError as error:
        raise ConfigurationError(f"cannot read {reference!r}: {error}") from None
    if not words:
        raise ConfigurationError("a reference must begin with a name, got an empty string")
    tokens: dict[str, str] = {}
    for word in words[1:]:
        key, equals, text = word.partition("=")
        if not (key and equals):
            raise ConfigurationError(
                f'cannot read "{word}" in {reference!r}: write field=value, for example n=40'
            )
        if key in tokens:
            raise ConfigurationError(f'field "{key}" is given twice in {reference!r}')
        tokens[key] = text
    return words[0], tokens


def _value(text: str) -> object:
    if text.lower() == "none":
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text


def _refuse_unknown(cls: type[Configuration], fields: Mapping[str, object]) -> None:
    for key in fields:
        if key not in cls.model_fields:
            allowed = list(cls.model_fields)
            raise ConfigurationError(
                f'"{cls.name}" has no field "{key}"{did_you_mean(key, allowed)} '
                f"(fields: {', '.join(allowed)})"
            )


def _validated(cls: type[B], name: str, fields: Mapping[str, object]) -> B:
    try:
        return cls(**fields)
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        message = message[:1].lower() + message[1:]
        location = ".".join(str(part) for part in first["loc"])
        where = f"{location} = {first['input']!r}: " if location else ""
        raise ConfigurationError(f'"{name}" {where}{message}') from None
