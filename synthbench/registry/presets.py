"""The presets of a task: fields that have a name, behind the task's in a reference."""

from __future__ import annotations

from collections.abc import Mapping

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.preset import Preset
from synthbench.contracts.task import Task
from synthbench.errors import ConfigurationError, did_you_mean
from synthbench.registry.reference import not_a_field, split_reference


def presets_of(cls: type[Configuration]) -> Mapping[str, Preset]:
    """A class's presets by name; none of what is no task."""
    return cls.presets if issubclass(cls, Task) else {}


def preset_of(cls: type[Configuration], name: str, reference: str) -> Preset:
    """A class's preset of that name; ConfigurationError, which quotes the reference, without it."""
    presets = presets_of(cls)
    if name in presets:
        return presets[name]
    error = not_a_field(reference, name)
    if not presets:
        raise error
    known = ", ".join(presets)
    raise ConfigurationError(f"{error}, or a preset: {known}{did_you_mean(name, presets)}")


def preset_tokens(cls: type[Configuration], name: str, reference: str) -> dict[str, str]:
    """The fields of a class's preset as a reference's tokens; errors are those of `preset_of`."""
    return split_reference(f"{cls.name} {preset_of(cls, name, reference).fields}").tokens
