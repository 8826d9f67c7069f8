"""Plugins: entry points in, staged and validated one by one, a broken one set aside.

`pluggy.PluginManager.load_setuptools_entrypoints` stops at the first plugin that fails and
ignores a misspelt hook. Here each entry point loads in its own `try`, an unknown hook is an
error, and a failure is remembered so that `synthbench list plugins` and every "unknown name"
error can mention it.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pluggy

from synthbench import hookspecs
from synthbench.configuration import Configuration
from synthbench.errors import PluginError
from synthbench.model import Model
from synthbench.probe import Probe
from synthbench.suites import Suite, read_suite
from synthbench.task import Task
from synthbench.tracker import Tracker

GROUP = "synthbench"
OWN_DISTRIBUTION = "synthbench"
NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
CONTRACTS: dict[str, type[Configuration]] = {
    "tasks": Task,
    "models": Model,
    "probes": Probe,
    "trackers": Tracker,
}
KINDS = (*CONTRACTS, "suites")
"""Everything a plugin may provide that has a name."""


@dataclass(frozen=True)
class Plugin:
    """One plugin that loaded: where it came from and what it provides."""

    name: str
    distribution: str
    distribution_version: str
    classes: dict[str, dict[str, type[Configuration]]]
    suites: dict[str, Suite]

    def names(self) -> list[str]:
        """Everything the plugin provides, by name."""
        provided = [name for kind in self.classes.values() for name in kind]
        return provided + list(self.suites)


@dataclass(frozen=True)
class PluginFailure:
    """One plugin that was set aside, and why."""

    name: str
    distribution: str
    distribution_version: str
    error: str

    def describe(self) -> str:
        """One line: the plugin, its distribution, the reason."""
        return (
            f'plugin "{self.name}" of {self.distribution} {self.distribution_version} '
            f"was set aside: {self.error}"
        )


@dataclass
class PluginHost:
    """The plugins of this environment."""

    manager: pluggy.PluginManager
    plugins: list[Plugin] = field(default_factory=list)
    failures: list[PluginFailure] = field(default_factory=list)

    @classmethod
    def from_entry_points(cls, points: Iterable[EntryPoint] | None = None) -> PluginHost:
        """Load the given entry points, or those installed in the group `synthbench`.

        Our own distribution comes first, so that no third party can take a bundled name;
        the rest follow by name.
        """
        manager = pluggy.PluginManager(GROUP)
        manager.add_hookspecs(hookspecs)
        host = cls(manager)
        found = entry_points(group=GROUP) if points is None else points
        for point in sorted(found, key=_load_order):
            host._load(point)
        return host

    def _load(self, point: EntryPoint) -> None:
        distribution, version = _distribution(point)
        module = None
        try:
            module = point.load()
            self.manager.register(module, name=point.name)
            _refuse_unknown_hooks(self.manager, module)
            staged = Plugin(
                name=point.name,
                distribution=distribution,
                distribution_version=version,
                classes={
                    kind: _stage_classes(self._results(module, f"register_{kind}"), kind)
                    for kind in CONTRACTS
                },
                suites=_stage_suites(self._results(module, "register_suites")),
            )
            self._refuse_clash(staged)
        # BaseException would swallow Ctrl-C; anything else a plugin raises is the plugin's.
        except (Exception, SystemExit) as error:
            # Only what this entry point registered: its name may be another plugin's too.
            if module is not None and self.manager.get_plugin(point.name) is module:
                self.manager.unregister(module)
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            self.failures.append(PluginFailure(point.name, distribution, version, reason))
        else:
            self.plugins.append(staged)

    def _results(self, module: object, hook: str) -> list[Any]:
        caller = getattr(self.manager.hook, hook)
        found = [impl for impl in caller.get_hookimpls() if impl.plugin is module]
        return [item for impl in found for item in _listed(impl.function(), hook)]

    def _refuse_clash(self, staged: Plugin) -> None:
        for other in self.plugins:
            clashes = [
                (k, n) for k in CONTRACTS for n in staged.classes[k] if n in other.classes[k]
            ]
            clashes += [("suites", name) for name in staged.suites if name in other.suites]
            for kind, name in clashes:
                raise PluginError(
                    f'{kind[:-1]} "{name}" is already provided by plugin "{other.name}" of '
                    f"{other.distribution}; choose another name"
                )

    def announce(self, event: str, **arguments: object) -> None:
        """Call an event hook plugin by plugin; a listener that raises becomes a warning."""
        for impl in getattr(self.manager.hook, event).get_hookimpls():
            try:
                impl.function(*(arguments[name] for name in impl.argnames))
            except Exception as error:
                warnings.warn(
                    f'plugin "{impl.plugin_name}" failed in {event}: {error!r}', stacklevel=2
                )


def _load_order(point: EntryPoint) -> tuple[bool, str, str]:
    distribution, _ = _distribution(point)
    return distribution != OWN_DISTRIBUTION, point.name, distribution


def _distribution(point: EntryPoint) -> tuple[str, str]:
    return (point.dist.name, point.dist.version) if point.dist else ("unknown", "?")


def _refuse_unknown_hooks(manager: pluggy.PluginManager, module: object) -> None:
    for caller in manager.get_hookcallers(module) or []:
        if not caller.has_spec():
            known = sorted(n for n, f in vars(hookspecs).items() if hasattr(f, "synthbench_spec"))
            raise PluginError(f"no hook is called {caller.name!r} (hooks: {', '.join(known)})")


def _listed(result: object, hook: str) -> Sequence[Any]:
    if isinstance(result, str) or not isinstance(result, Iterable):
        raise PluginError(f"{hook}() must return a list, got {result!r}")
    return list(result)


def _stage_classes(found: list[Any], kind: str) -> dict[str, type[Configuration]]:
    contract = CONTRACTS[kind]
    staged: dict[str, type[Configuration]] = {}
    for item in found:
        if not (isinstance(item, type) and issubclass(item, contract)):
            raise PluginError(
                f"register_{kind}() must return subclasses of {contract.__name__}, got {item!r}"
            )
        if inspect.isabstract(item):
            missing = ", ".join(sorted(item.__abstractmethods__))
            raise PluginError(f"{item.__name__} does not define {missing}")
        name = getattr(item, "name", None)
        if not (isinstance(name, str) and NAME_PATTERN.fullmatch(name)):
            raise PluginError(
                f"{item.__name__}.name must be lower-case words joined by '-', got {name!r}"
            )
        if name in staged:
            raise PluginError(f'{kind[:-1]} "{name}" is registered twice')
        staged[name] = item
    return staged


def _stage_suites(found: list[Any]) -> dict[str, Suite]:
    suites: dict[str, Suite] = {}
    for path in found:
        suite = read_suite(Path(path))
        if suite.name in suites:
            raise PluginError(f'suite "{suite.name}" is registered twice')
        suites[suite.name] = suite
    return suites
