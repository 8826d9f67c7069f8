"""Laws of every configuration: its name, and its way through a record and back."""

from __future__ import annotations

import inspect
import json
from typing import Any, Protocol

from synthbench.contracts.configuration import Configuration
from synthbench.errors import SynthbenchError
from synthbench.hashing import content_hash
from synthbench.registry.kinds import NAME_PATTERN, Kind
from synthbench.registry.registry import Registry
from synthbench.testing.law import Law, Outcome, law
from synthbench.testing.workbench.lone_registry import lone_registry


class ConfigurationTrial(Protocol):
    """A trial of anything with a name and fields."""

    @property
    def subject(self) -> Configuration:
        """What is examined."""

    @property
    def kind(self) -> Kind[Any]:
        """What it is: a task, a model, a probe or an optimizer."""


@law(
    "name-and-docstring",
    "It has a name that people can type and a docstring that says what it is.",
    "set `name: ClassVar[str]` to lower-case words joined by hyphens, and write a docstring: "
    "its first line is what `synthbench list` shows.",
)
def name_and_docstring(trial: ConfigurationTrial) -> Outcome:
    """The name's form, and a docstring of the class's own."""
    found = type(trial.subject)
    name = getattr(found, "name", None)
    if not (isinstance(name, str) and NAME_PATTERN.fullmatch(name)):
        return f"the name is {name!r}"
    return None if inspect.cleandoc(found.__doc__ or "") else f"{found.__name__} has no docstring"


@law(
    "config-round-trips",
    "What a record holds of it, and its label, rebuild an equal object.",
    "keep the whole configuration in fields of JSON types, and let validators check fields "
    "without changing them.",
    needs=("name-and-docstring",),
)
def config_round_trips(trial: ConfigurationTrial) -> Outcome:
    """Through JSON as in a record, and through the reference that people type."""
    subject, kind = trial.subject, trial.kind
    registry = lone_registry(kind, subject)
    description = subject.describe()
    held: Any = json.loads(json.dumps(description))
    if held != description:
        return f"its description changes in JSON: {description} becomes {held}"
    try:
        rebuilt = registry.rebuild(kind, held)
    except SynthbenchError as error:
        return f"its description {held} cannot be read: {error}"
    if rebuilt != subject or content_hash(rebuilt.describe()) != content_hash(description):
        return f"its description {held} gives {rebuilt!r}, not {subject!r}"
    return _label_round_trips(subject, kind, registry)


def _label_round_trips(subject: Configuration, kind: Kind[Any], registry: Registry) -> Outcome:
    label = subject.label()
    try:
        typed = registry.get(kind, label)
    except SynthbenchError as error:
        return f"its label cannot be read: {error}"
    return None if typed == subject else f"its label '{label}' gives {typed!r}, not {subject!r}"


CONFIGURATION_LAWS: tuple[Law[Any], ...] = (name_and_docstring, config_round_trips)
