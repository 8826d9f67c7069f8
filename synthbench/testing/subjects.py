"""From a name that people type to what is examined, with its laws."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.interface import Interface
from synthbench.contracts.model import Model
from synthbench.contracts.task import Task
from synthbench.errors import ConfigurationError, UnknownNameError, did_you_mean, first_mistake
from synthbench.plan.paper_study import SUFFIX, PaperStudy, read_paper_study
from synthbench.plan.suite import Suite
from synthbench.plan.task_facts import longest_interface
from synthbench.registry.kinds import (
    MEASUREMENT,
    MODEL,
    OPTIMIZER,
    PROBE,
    STUDY,
    SUITE,
    TASK,
    Kind,
)
from synthbench.registry.plugin import Plugin
from synthbench.registry.reference import split_reference
from synthbench.registry.registry import Registry
from synthbench.testing.bare_subjects import is_place, model_at
from synthbench.testing.examination import Examination
from synthbench.testing.law import Law
from synthbench.testing.measurements.check import measurement_examination
from synthbench.testing.measurements.laws import MEASUREMENT_LAWS
from synthbench.testing.models.check import MODEL_LAWS, model_examination
from synthbench.testing.optimizers.check import OPTIMIZER_LAWS, optimizer_examination
from synthbench.testing.probes.check import PROBE_LAWS, probe_examination
from synthbench.testing.studies.check import study_examination
from synthbench.testing.studies.laws import STUDY_LAWS
from synthbench.testing.suites.check import suite_examination
from synthbench.testing.suites.laws import SUITE_LAWS
from synthbench.testing.tasks.check import TASK_LAWS, task_examination

LAWS: dict[Kind[Any], tuple[Law[Any], ...]] = {
    TASK: TASK_LAWS,
    MODEL: MODEL_LAWS,
    PROBE: PROBE_LAWS,
    OPTIMIZER: OPTIMIZER_LAWS,
    MEASUREMENT: MEASUREMENT_LAWS,
    SUITE: SUITE_LAWS,
    STUDY: STUDY_LAWS,
}
"""Kinds that have laws."""
EXAMINATIONS: dict[Kind[Any], Callable[[Any], Examination]] = {
    PROBE: probe_examination,
    OPTIMIZER: optimizer_examination,
    MEASUREMENT: measurement_examination,
}
"""Those that leave nothing to choose."""


@dataclass(frozen=True)
class Subject:
    """Something that can be examined: its kind, one of `LAWS`, and itself.

    registry: where what a suite names is looked up; default: everything installed. interfaces:
    what a model is tried on; default: examples of what it declares.
    """

    kind: Kind[Any]
    configuration: Configuration | Suite | PaperStudy
    registry: Registry | None = field(default=None, compare=False)
    interfaces: tuple[Interface, ...] = ()

    @property
    def title(self) -> str:
        """`task coin-flips n=20`, `suite coin-flips-v1`."""
        named = self.configuration
        label = named.label() if isinstance(named, Configuration) else named.name
        return f"{self.kind.word} {label}"

    def examination(self, constant_world: bool = False) -> Examination:
        """Its laws, to be judged one by one; constant_world: as for `check_task`."""
        if isinstance(self.configuration, Task):
            return task_examination(self.configuration, constant_world=constant_world)
        if isinstance(self.configuration, Suite):
            return suite_examination(self.configuration, self.registry)
        if isinstance(self.configuration, PaperStudy):
            return study_examination(self.configuration)
        if isinstance(self.configuration, Model):
            return model_examination(self.configuration, self.interfaces)
        return EXAMINATIONS[self.kind](self.configuration)


def find_subjects(
    registry: Registry, names: Sequence[str], tasks: Sequence[str] = ()
) -> list[Subject]:
    """What the names stand for.

    names: of a plugin or a distribution, a reference such as `mlp width=8`, the place of a bare
    module, `file.py:MyNet`, or the file of a paper study, `plateaus.toml`; none means every
    third-party plugin. tasks: references of those whose interfaces models are tried on. Raises
    UnknownNameError for a name of nothing, ConfigurationError where there is nothing to examine,
    InterfaceError for a model that does not take a task.
    """
    found = _named(registry, names)
    if not tasks:
        return found
    interfaces = tuple(longest_interface(registry.task(each)) for each in tasks)
    return [_on(subject, interfaces) for subject in found]


def _on(subject: Subject, interfaces: tuple[Interface, ...]) -> Subject:
    if not isinstance(subject.configuration, Model):
        raise ConfigurationError(f"--task is for models; {subject.title} is none")
    for interface in interfaces:
        subject.configuration.check_accepts(interface)
    return replace(subject, interfaces=interfaces)


def _named(registry: Registry, names: Sequence[str]) -> list[Subject]:
    plugins = registry.host.plugins
    if not names:
        found = [s for p in plugins if not p.is_bundled for s in _of_plugin(registry, p)]
        if not found:
            failed = "".join(f"\n  {line}" for line in registry.host.absent())
            raise ConfigurationError(
                "no third-party plugin with a task, model, probe, optimizer, suite or study is "
                f"installed; name what to check, such as sparse-parity{failed}"
            )
        return found
    subjects: list[Subject] = []
    for name in names:
        subjects += [each for each in _of_name(registry, name) if each not in subjects]
    return subjects


def _of_name(registry: Registry, name: str) -> Iterator[Subject]:
    if is_place(name):
        yield Subject(MODEL, model_at(name))
        return
    if name.endswith(SUFFIX):
        yield Subject(STUDY, read_paper_study(Path(name)), registry)
        return
    plugins = registry.host.plugins
    named = [p for p in plugins if p.name == name] or [p for p in plugins if p.distribution == name]
    provided = [s for plugin in named for s in _of_plugin(registry, plugin)]
    if provided:
        yield from provided
        return
    word = split_reference(name).name
    kinds = [kind for kind in registry.kinds_of(word) if kind in LAWS]
    if not kinds:
        _refuse(registry, word)
    for kind in kinds:
        if kind.is_file:
            yield Subject(kind, registry.provided(kind, name), registry)
        else:
            yield Subject(kind, registry.get(kind, name))


def _of_plugin(registry: Registry, plugin: Plugin) -> Iterator[Subject]:
    for kind in LAWS:
        for name, found in plugin.provided[kind].items():
            if kind.is_file:
                yield Subject(kind, found, registry)
                continue
            try:
                yield Subject(kind, found())
            except ValidationError as error:
                field = first_mistake(error).where
                raise ConfigurationError(
                    f'{kind.word} "{name}" has no default for "{field}"; give it one, or check a '
                    f"reference: '{name} {field}=...'"
                ) from None


def _refuse(registry: Registry, word: str) -> None:
    host = registry.host
    for failure in host.failures:
        if word in (failure.name, failure.distribution):
            raise ConfigurationError(failure.describe())
    for plugin in host.plugins:
        if word in (plugin.name, plugin.distribution):
            there = ", ".join(kind.plural for kind in plugin.provides()) or "nothing"
            raise ConfigurationError(
                f'plugin "{plugin.name}" of {plugin.distribution} has no task, model, probe or '
                f"optimizer to check; it provides: {there}"
            )
    known = [name for kind in LAWS for name in registry.names(kind)]
    known += [each for p in host.plugins for each in (p.name, p.distribution)]
    absent = "".join(f"\n  {line}" for line in host.absent())
    raise UnknownNameError(
        f'no plugin, task, model, probe, optimizer, suite or study is called "{word}"'
        f"{did_you_mean(word, known)} "
        f"(synthbench list; a new plugin is seen after pip install -e .){absent}"
    )
