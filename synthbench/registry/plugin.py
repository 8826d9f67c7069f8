"""What is known of a plugin: that it loaded, that it was set aside, or that it was left out."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

from synthbench.registry.kinds import KINDS, Kind
from synthbench.registry.selection import OWN_DISTRIBUTION, distribution_of

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""Colours and movements of a terminal's cursor."""


@dataclass(frozen=True)
class Plugin:
    """One plugin that loaded: where it came from and what it provides.

    provided: for every kind what it has of it, by name: classes, or suites and studies
    themselves. listens:
    the events it hears.
    """

    name: str
    distribution: str
    distribution_version: str
    provided: Mapping[Kind[Any], Mapping[str, Any]]
    listens: tuple[str, ...] = ()

    def provides(self) -> dict[Kind[Any], list[str]]:
        """The names it provides, for the kinds of which it has any."""
        return {kind: list(self.provided[kind]) for kind in KINDS if self.provided[kind]}

    @property
    def is_bundled(self) -> bool:
        """Whether it comes with SynthBench itself."""
        return self.distribution == OWN_DISTRIBUTION


@dataclass(frozen=True)
class PluginFailure:
    """One plugin that was set aside, and why."""

    name: str
    distribution: str
    distribution_version: str
    error: str

    @classmethod
    def of(cls, point: EntryPoint, error: BaseException) -> PluginFailure:
        """What loading an entry point raised."""
        return cls(point.name, *distribution_of(point), _reason(error, point))

    def describe(self) -> str:
        """One line: the plugin, its distribution, the reason."""
        return (
            f'plugin "{self.name}" of {self.distribution} {self.distribution_version} '
            f"was set aside: {self.error}"
        )


@dataclass(frozen=True)
class PluginLeftOut:
    """One plugin that was not to be loaded."""

    name: str
    distribution: str
    distribution_version: str
    reason: str
    """The setting that says so: `SYNTHBENCH_PLUGINS=none`."""


def _reason(error: BaseException, point: EntryPoint) -> str:
    """One line: what was raised and, where it was the plugin's own code, in which line."""
    try:
        said = ESCAPES.sub("", str(error))
    # Its __str__ is the plugin's, too.
    except Exception:
        said = "(its message cannot be shown)"
    reason = " ".join(f"{type(error).__name__}: {said}".split())
    package = point.value.partition(":")[0].partition(".")[0]
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        parts = Path(frame.filename).with_suffix("").parts
        if package in parts:
            inside = Path(*Path(frame.filename).parts[parts.index(package) :])
            return f"{reason} ({inside.as_posix()}, line {frame.lineno})"
    return reason
