"""Plugins: entry points in, staged and validated one by one, a broken one set aside.

`pluggy.PluginManager.load_setuptools_entrypoints` stops at the first plugin that fails and
ignores a misspelt hook. Here each entry point loads in its own `try`, an unknown hook is an
error, and a failure is remembered so that `synthbench list plugins` and every "unknown name"
error can mention it.
"""

from __future__ import annotations

import inspect
import os
import re
import traceback
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

import pluggy

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.model import Model
from synthbench.contracts.probe import Probe
from synthbench.contracts.recipe import Optimizer
from synthbench.contracts.task import Task
from synthbench.errors import PluginError, did_you_mean
from synthbench.listeners.tracker import Tracker
from synthbench.plan.suite import Suite, read_suite
from synthbench.registry import hookspecs
from synthbench.registry.selection import OWN_DISTRIBUTION, VARIABLE, distribution_of, select
from synthbench.version import PLUGIN_API, __version__

GROUP = "synthbench"
OLDEST_PLUGIN_API = 1
"""The oldest plugin API that still loads."""
ENTRY_POINT = re.compile(r"\s*[\w.]+\s*(:\s*[\w.]+\s*)?(\[.*\]\s*)?")
ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
"""Colours and movements of a terminal's cursor."""
NAME_PATTERN = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
CONTRACTS: dict[str, type[Configuration]] = {
    "tasks": Task,
    "models": Model,
    "probes": Probe,
    "optimizers": Optimizer,
    "trackers": Tracker,
}
KINDS = (*CONTRACTS, "suites")
"""Everything a plugin may provide that has a name."""
HOOKS = tuple(sorted(n for n, f in vars(hookspecs).items() if hasattr(f, "synthbench_spec")))
EVENTS = tuple(name for name in HOOKS if not name.startswith("register_"))


@dataclass(frozen=True)
class Plugin:
    """One plugin that loaded: where it came from and what it provides.

    listens: the events it hears.
    """

    name: str
    distribution: str
    distribution_version: str
    classes: dict[str, dict[str, type[Configuration]]]
    suites: dict[str, Suite]
    listens: tuple[str, ...] = ()

    def provides(self) -> dict[str, list[str]]:
        """Kind -> the names it provides, for the kinds of which it has any."""
        found = {kind: list(self.classes[kind]) for kind in CONTRACTS} | {"suites": [*self.suites]}
        return {kind: names for kind, names in found.items() if names}

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


@dataclass
class PluginHost:
    """The plugins of this environment."""

    manager: pluggy.PluginManager
    plugins: list[Plugin] = field(default_factory=list)
    failures: list[PluginFailure] = field(default_factory=list)
    left_out: list[PluginLeftOut] = field(default_factory=list)

    @classmethod
    def from_entry_points(
        cls, points: Iterable[EntryPoint] | None = None, wanted: str | None = None
    ) -> PluginHost:
        """Load the given entry points, or those installed in the group `synthbench`.

        Our own distribution comes first, so that no third party can take a bundled name;
        the rest follow by name. wanted: which third-party ones, as SYNTHBENCH_PLUGINS says it
        and by default what it says. Raises UnknownNameError where it names one that is not there.
        """
        manager = pluggy.PluginManager(GROUP)
        manager.add_hookspecs(hookspecs)
        host = cls(manager)
        wanted = os.environ.get(VARIABLE, "") if wanted is None else wanted
        found = entry_points(group=GROUP) if points is None else points
        chosen, left_out = select(sorted(found, key=_load_order), wanted)
        for point in chosen:
            host._load(point)
        host.left_out = [
            PluginLeftOut(point.name, *distribution_of(point), f"{VARIABLE}={wanted}")
            for point in left_out
        ]
        return host

    def absent(self) -> list[str]:
        """Lines about the plugins that are installed and did not load."""
        lines = [failure.describe() for failure in self.failures]
        if self.left_out:
            names = ", ".join(absent.name for absent in self.left_out)
            lines.append(f"left out by {self.left_out[0].reason}: {names}")
        return lines

    def _load(self, point: EntryPoint) -> None:
        distribution, version = distribution_of(point)
        module = None
        try:
            self._refuse_taken(point.name)
            if not ENTRY_POINT.fullmatch(point.value):
                raise PluginError(f"its entry point must name a module, got {point.value!r}")
            module = point.load()
            check_api(module, distribution)
            _refuse_unmarked_hooks(module)
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
                listens=tuple(name for name in EVENTS if self._implementations(module, name)),
            )
            self._refuse_clash(staged)
        except KeyboardInterrupt:
            raise
        # Anything else that a plugin raises is the plugin's: SystemExit, a panic of Rust code.
        except BaseException as error:
            # Only what this entry point registered: its name may be another plugin's too.
            if module is not None and self.manager.get_plugin(point.name) is module:
                self.manager.unregister(module)
            reason = _reason(error, point)
            self.failures.append(PluginFailure(point.name, distribution, version, reason))
        else:
            self.plugins.append(staged)

    def _refuse_taken(self, name: str) -> None:
        for other in self.plugins:
            if other.name == name:
                raise PluginError(
                    f'another plugin is called "{name}", of {other.distribution} '
                    f"{other.distribution_version}; choose another name for the entry point"
                )

    def _implementations(self, module: object, hook: str) -> list[pluggy.HookImpl]:
        caller = getattr(self.manager.hook, hook)
        return [impl for impl in caller.get_hookimpls() if impl.plugin is module]

    def _results(self, module: object, hook: str) -> list[Any]:
        found = self._implementations(module, hook)
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


def check_api(module: object, distribution: str) -> None:
    """Raise PluginError, saying which side to upgrade, unless the plugin's API is one of ours.

    A plugin's root says `synthbench_plugin_api = 1`; one that says nothing is of API 1.
    """
    api = getattr(module, "synthbench_plugin_api", 1)
    if not isinstance(api, int) or isinstance(api, bool):
        raise PluginError(f"synthbench_plugin_api must be a whole number, got {api!r}")
    ours = f"SynthBench {__version__}"
    if api > PLUGIN_API:
        raise PluginError(
            f"it is for plugin API {api}, {ours} has {PLUGIN_API}; upgrade synthbench"
        )
    if api < OLDEST_PLUGIN_API:
        raise PluginError(
            f"it is for plugin API {api}, {ours} loads {OLDEST_PLUGIN_API} and later; upgrade "
            f"{distribution}"
        )


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


def _load_order(point: EntryPoint) -> tuple[bool, str, str]:
    distribution, _ = distribution_of(point)
    return distribution != OWN_DISTRIBUTION, point.name, distribution


def _refuse_unknown_hooks(manager: pluggy.PluginManager, module: object) -> None:
    for caller in manager.get_hookcallers(module) or []:
        if not caller.has_spec():
            raise PluginError(
                f"no hook is called {caller.name!r}{did_you_mean(caller.name, HOOKS)} "
                f"(hooks: {', '.join(HOOKS)})"
            )


def _refuse_unmarked_hooks(module: object) -> None:
    """A function with a hook's name that pluggy would not see."""
    for name in HOOKS:
        found = getattr(module, name, None)
        if inspect.isroutine(found) and not hasattr(found, f"{GROUP}_impl"):
            raise PluginError(f"{name} lacks its decorator @hookimpl, so it is not called")


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
