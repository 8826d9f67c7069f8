"""From a name that people type to what is examined, with its laws."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.model import Model
from synthbench.contracts.probe import Probe
from synthbench.contracts.recipe import Optimizer
from synthbench.contracts.task import Task
from synthbench.errors import ConfigurationError, UnknownNameError, did_you_mean
from synthbench.registry.host import Plugin
from synthbench.registry.registry import Registry, split_reference
from synthbench.testing.examination import Examination
from synthbench.testing.law import Law
from synthbench.testing.models.check import MODEL_LAWS, model_examination
from synthbench.testing.optimizers.check import OPTIMIZER_LAWS, optimizer_examination
from synthbench.testing.probes.check import PROBE_LAWS, probe_examination
from synthbench.testing.tasks.check import TASK_LAWS, task_examination

LAWS: dict[str, tuple[Law[Any], ...]] = {
    "tasks": TASK_LAWS,
    "models": MODEL_LAWS,
    "probes": PROBE_LAWS,
    "optimizers": OPTIMIZER_LAWS,
}
"""Kinds that have laws."""


@dataclass(frozen=True)
class Subject:
    """Something that can be examined: its kind, one of `LAWS`, and itself."""

    kind: str
    configuration: Configuration

    @property
    def title(self) -> str:
        """`task coin-flips n=20`."""
        return f"{self.kind[:-1]} {self.configuration.label()}"

    def examination(self, constant_world: bool = False) -> Examination:
        """Its laws, to be judged one by one; constant_world: as for `check_task`."""
        if self.kind == "tasks":
            task = cast(Task, self.configuration)
            return task_examination(task, constant_world=constant_world)
        if self.kind == "models":
            return model_examination(cast(Model, self.configuration))
        if self.kind == "probes":
            return probe_examination(cast(Probe, self.configuration))
        return optimizer_examination(cast(Optimizer, self.configuration))


def find_subjects(registry: Registry, names: Sequence[str]) -> list[Subject]:
    """What the names stand for: a plugin, a distribution, or a reference such as `mlp width=8`.

    No name means every third-party plugin. Raises UnknownNameError for a name of nothing,
    ConfigurationError where there is nothing to examine.
    """
    plugins = registry.host.plugins
    if not names:
        found = [s for p in plugins if not p.is_bundled for s in _of_plugin(p)]
        if not found:
            failed = "".join(f"\n  {line}" for line in registry.host.absent())
            raise ConfigurationError(
                "no third-party plugin with a task, model, probe or optimizer is installed; name "
                f"what to check, such as sparse-parity{failed}"
            )
        return found
    return list(dict.fromkeys(s for name in names for s in _of_name(registry, name)))


def _of_name(registry: Registry, name: str) -> Iterator[Subject]:
    plugins = registry.host.plugins
    named = [p for p in plugins if p.name == name] or [p for p in plugins if p.distribution == name]
    provided = [s for plugin in named for s in _of_plugin(plugin)]
    if provided:
        yield from provided
        return
    word, _ = split_reference(name)
    kinds = [kind for kind in registry.kinds_of(word) if kind in LAWS]
    if not kinds:
        _refuse(registry, word)
    for kind in kinds:
        yield Subject(kind, _parsed(registry, kind, name))


def _parsed(registry: Registry, kind: str, reference: str) -> Configuration:
    if kind == "tasks":
        return registry.task(reference)
    if kind == "models":
        return registry.model(reference)
    return registry.probe(reference) if kind == "probes" else registry.optimizer(reference)


def _of_plugin(plugin: Plugin) -> Iterator[Subject]:
    for kind in LAWS:
        for name, found in plugin.classes[kind].items():
            try:
                yield Subject(kind, found())
            except ValidationError as error:
                field = error.errors()[0]["loc"][0]
                raise ConfigurationError(
                    f'{kind[:-1]} "{name}" has no default for "{field}"; give it one, or check a '
                    f"reference: '{name} {field}=...'"
                ) from None


def _refuse(registry: Registry, word: str) -> None:
    host = registry.host
    for failure in host.failures:
        if word in (failure.name, failure.distribution):
            raise ConfigurationError(failure.describe())
    for plugin in host.plugins:
        if word in (plugin.name, plugin.distribution):
            there = ", ".join(plugin.provides()) or "nothing"
            raise ConfigurationError(
                f'plugin "{plugin.name}" of {plugin.distribution} has no task, model, probe or '
                f"optimizer to check; it provides: {there}"
            )
    known = [name for kind in LAWS for name in registry.names(kind)]
    known += [each for p in host.plugins for each in (p.name, p.distribution)]
    absent = "".join(f"\n  {line}" for line in host.absent())
    raise UnknownNameError(
        f'no plugin, task, model, probe or optimizer is called "{word}"{did_you_mean(word, known)} '
        f"(synthbench list; a new plugin is seen after pip install -e .){absent}"
    )
