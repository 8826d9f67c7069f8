"""From names and references to validated objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.launcher import Launcher
from synthbench.contracts.measurement import Measurement
from synthbench.contracts.model import Model
from synthbench.contracts.preset import Preset
from synthbench.contracts.probe import Probe
from synthbench.contracts.recipe import ELEMENTWISE, Optimizer
from synthbench.contracts.task import Task
from synthbench.errors import ConfigurationError, RecordError, UnknownNameError, did_you_mean
from synthbench.listeners.tracker import Tracker
from synthbench.plan.field_values import FieldType, field_type
from synthbench.plan.paper_study import SUFFIX, PaperStudy
from synthbench.plan.space import Range, Several, Space
from synthbench.plan.suite import Suite
from synthbench.registry.host import PluginHost
from synthbench.registry.kinds import (
    KINDS,
    LAUNCHER,
    MEASUREMENT,
    MODEL,
    OPTIMIZER,
    PROBE,
    STUDY,
    SUITE,
    TASK,
    TRACKER,
    Kind,
    kind_of,
)
from synthbench.registry.misplaced import misplaced
from synthbench.registry.parts import nest_parts, part_fields
from synthbench.registry.plugin import Plugin
from synthbench.registry.presets import preset_of, preset_tokens
from synthbench.registry.recipe_fields import default_recipe, nest_recipe, written_fields
from synthbench.registry.reference import (
    refuse_unknown_field,
    split_reference,
    typed_value,
    validated,
    values_in,
)

C = TypeVar("C", bound=Configuration)


@dataclass(frozen=True)
class Registry:
    """Looks up what the plugins provide."""

    host: PluginHost

    def names(self, kind: Kind[Any]) -> dict[str, Plugin]:
        """Name -> providing plugin."""
        return {name: plugin for plugin in self.host.plugins for name in plugin.provided[kind]}

    def bundled(self, kind: Kind[Any]) -> list[str]:
        """Names of what comes with SynthBench itself."""
        return [name for name, plugin in self.names(kind).items() if plugin.is_bundled]

    def kinds_of(self, name: str) -> list[Kind[Any]]:
        """The kinds under which a name is registered."""
        return [kind for kind in KINDS if name in self.names(kind)]

    def find(self, kind: Kind[C], name: str) -> type[C]:
        """The class of that name; UnknownNameError with a suggestion otherwise."""
        return cast("type[C]", self.provided(kind, name))

    def suite(self, name: str) -> Suite:
        """The suite of that name; UnknownNameError with a suggestion otherwise."""
        return cast(Suite, self.provided(SUITE, name))

    def study(self, name: str) -> PaperStudy:
        """The paper study of that name; UnknownNameError with a suggestion otherwise."""
        file = Path(f"{name}{SUFFIX}")
        if name not in self.names(STUDY) and file.is_file():
            guess = f'unknown study "{name}"; did you mean the file "{file}"?'
            raise UnknownNameError(f"{guess} (synthbench list studies)")
        return cast(PaperStudy, self.provided(STUDY, name))

    def get(self, kind: Kind[C], reference: str | C) -> C:
        """The object that a reference such as `'mlp width=200 lr=0.05'` means, or itself."""
        if isinstance(reference, kind.contract):
            return reference
        space = self.space(kind, cast(str, reference))
        found, fields = self.find(kind, space.name), {}
        for key, value in space.fields.items():
            if not isinstance(value, str):
                raise ConfigurationError(
                    f'"{space.name}" {key} = {value}: one value is expected here; tasks, models '
                    "and protocol flags of synthbench eval, and a Study, take several"
                )
            fields[key] = typed_value(found, key, value)
        nested = nest_parts(found, fields, self._find_part)
        return validated(found, space.name, nest_recipe(found, nested, self._find_optimizer))

    def space(self, kind: Kind[Any], reference: str) -> Space:
        """What a reference means whose fields may take several values, or any of a range.

        A list is one value of a field that takes lists. Raises ConfigurationError for a field
        that does not exist and for values that cannot be read; whether each is allowed shows
        when its point is made an object.
        """
        name, preset, tokens = split_reference(reference)
        found = self.find(kind, name)
        if preset is not None:
            tokens = {**preset_tokens(found, preset, reference), **tokens}
        parts = self._parts(found, tokens)
        known = written_fields(found, parts)
        fields: dict[str, str | Several | Range] = {}
        for key, text in tokens.items():
            part, dot, _ = key.partition(".")
            if not (dot and part in parts):
                refuse_unknown_field(name, key, list(written_fields(found)))
            own = field_type(known[key].annotation) if key in known else FieldType()
            fields[key] = values_in(name, key, text, own)
        return Space(name, fields)

    def subclasses(self, contract: type[C]) -> dict[str, type[C]]:
        """What is installed of a contract, or of one below a kind's, by name."""
        kind = kind_of(contract)
        found = {name: self.find(kind, name) for name in self.names(kind)}
        return {name: cls for name, cls in found.items() if issubclass(cls, contract)}

    def task(self, reference: str | Task) -> Task:
        """A task from a reference such as `'sparse-parity n=40 k=3'`."""
        return self.get(TASK, reference)

    def preset(self, reference: object) -> Preset | None:
        """The preset that a task's reference names; None where it names none, or is a task."""
        if not isinstance(reference, str):
            return None
        name, preset, _ = split_reference(reference)
        found = self.find(TASK, name)
        return None if preset is None else preset_of(found, preset, reference)

    def model(self, reference: str | Model) -> Model:
        """A model from a reference such as `'mlp width=200 lr=0.05'`."""
        return self.get(MODEL, reference)

    def probe(self, reference: str | Probe) -> Probe:
        """A probe from a reference."""
        return self.get(PROBE, reference)

    def optimizer(self, reference: str | Optimizer) -> Optimizer:
        """An optimizer of a plugin, from a reference such as `'muon momentum=0.9'`."""
        return self.get(OPTIMIZER, reference)

    def tracker(self, reference: str | Tracker) -> Tracker:
        """A tracker from a reference such as `'wandb project=acme/parity'`."""
        return self.get(TRACKER, reference)

    def launcher(self, reference: str | Launcher) -> Launcher:
        """A launcher from a reference such as `'local workers=4'`."""
        return self.get(LAUNCHER, reference)

    def measurement(self, reference: str | Measurement) -> Measurement:
        """A measurement from a reference such as `'parity-search algorithm=brute-force n=20'`."""
        return self.get(MEASUREMENT, reference)

    def rebuild(self, kind: Kind[C], description: Mapping[str, Any]) -> C:
        """The object whose `describe()` is given, as stored in a record.

        Raises RecordError when the installed class, that of a part, or that of its recipe's
        optimizer, is of another version.
        """
        fields = dict(description)
        name, version = str(fields.pop("name")), fields.pop("version")
        found = self.find(kind, name)
        if found.version != version:
            raise RecordError(
                f'{kind.word} "{name}" is of version {found.version} here, {version} in the record'
            )
        for key, contract in part_fields(found).items():
            if isinstance(part := fields.get(key), Mapping):
                fields[key] = self.rebuild(kind_of(contract), part)
        recipe = fields.get("recipe")
        if isinstance(recipe, Mapping) and isinstance(recipe.get("optimizer"), Mapping):
            optimizer = self.rebuild(OPTIMIZER, recipe["optimizer"])
            fields["recipe"] = {**recipe, "optimizer": optimizer}
        return validated(found, name, fields)

    def provided(self, kind: Kind[Any], name: str) -> Any:
        """What a plugin provides under that name; UnknownNameError with a suggestion otherwise."""
        known = self.names(kind)
        if name in known:
            return known[name].provided[kind][name]
        if others := self.kinds_of(name):
            raise UnknownNameError(misplaced(self, kind, others[0], name))
        message = f'unknown {kind.word} "{name}"{did_you_mean(name, known)}'
        message = f"{message.rstrip('?')}? (" if message.endswith("?") else f"{message} ("
        raise UnknownNameError(f"{message}synthbench list {kind.plural}){self._failed()}")

    def _parts(
        self, cls: type[Configuration], tokens: Mapping[str, str]
    ) -> dict[str, list[type[Configuration]]]:
        """The classes that a reference names in each field that takes one.

        Those of plugins alone; the default optimizer of a recipe where none is named.
        """
        recipe, contracts = default_recipe(cls), dict(part_fields(cls))
        if recipe is not None:
            contracts["optimizer"] = Optimizer
        found: dict[str, list[type[Configuration]]] = {}
        for key, contract in contracts.items():
            values = values_in(cls.name, key, tokens.get(key, ""), FieldType())
            names = values.values if isinstance(values, Several) else (values,)
            known = self.subclasses(contract)
            found[key] = [known[name] for name in names if name in known]
        default = None if recipe is None else recipe.optimizer
        if "optimizer" not in tokens and isinstance(default, Optimizer):
            found["optimizer"] = [type(default)]
        return found

    def _find_part(
        self, field: str, contract: type[Configuration], name: str
    ) -> type[Configuration]:
        """That of a field such as `mixer`, which holds a part."""
        known = self.subclasses(contract)
        if name not in known:
            raise UnknownNameError(
                f'unknown {field} "{name}"{did_you_mean(name, known)} (one of: '
                f"{', '.join(known)}){self._failed()}"
            )
        return known[name]

    def _find_optimizer(self, name: str) -> type[Optimizer]:
        """That of a recipe, where the names of elementwise ones are known too."""
        known = [*ELEMENTWISE, *self.names(OPTIMIZER)]
        if name not in known:
            raise UnknownNameError(
                f'unknown optimizer "{name}"{did_you_mean(name, known)} '
                f"(optimizers: {', '.join(known)}; synthbench list optimizers){self._failed()}"
            )
        return self.find(OPTIMIZER, name)

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
