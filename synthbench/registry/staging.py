"""From one entry point to a plugin: its module loaded, its hooks called, what they return checked.

`pluggy` ignores a misspelt hook, and one without its decorator; here both are errors.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pluggy

from synthbench.contracts.configuration import Configuration
from synthbench.errors import PluginError, did_you_mean
from synthbench.registry import hookspecs
from synthbench.registry.installed_points import GROUP
from synthbench.registry.kinds import KINDS, NAME_PATTERN, Kind
from synthbench.registry.plugin import Plugin
from synthbench.registry.selection import distribution_of
from synthbench.version import PLUGIN_API, __version__

OLDEST_PLUGIN_API = 1
"""The oldest plugin API that still loads."""
ENTRY_POINT = re.compile(r"\s*[\w.]+\s*(:\s*[\w.]+\s*)?(\[.*\]\s*)?")
HOOKS = tuple(sorted(n for n, f in vars(hookspecs).items() if hasattr(f, "synthbench_spec")))
EVENTS = tuple(name for name in HOOKS if not name.startswith("register_"))


def load_module(point: EntryPoint) -> object:
    """What an entry point names; PluginError unless its API and its hooks can be read."""
    if not ENTRY_POINT.fullmatch(point.value):
        raise PluginError(f"its entry point must name a module, got {point.value!r}")
    module = point.load()
    check_api(module, distribution_of(point)[0])
    _refuse_unmarked_hooks(module)
    return module


def stage(point: EntryPoint, module: object, manager: pluggy.PluginManager) -> Plugin:
    """The plugin that a module is, once the manager knows it.

    Raises PluginError for what breaks the contract, and whatever the plugin's hooks raise.
    """
    _refuse_unknown_hooks(manager, module)
    return Plugin(
        point.name,
        *distribution_of(point),
        {kind: _stage(_results(manager, module, kind.hook), kind) for kind in KINDS},
        tuple(name for name in EVENTS if _implementations(manager, module, name)),
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


def _refuse_unmarked_hooks(module: object) -> None:
    """A function with a hook's name that pluggy would not see."""
    for name in HOOKS:
        found = getattr(module, name, None)
        if inspect.isroutine(found) and not hasattr(found, f"{GROUP}_impl"):
            raise PluginError(f"{name} lacks its decorator @hookimpl, so it is not called")


def _refuse_unknown_hooks(manager: pluggy.PluginManager, module: object) -> None:
    for caller in manager.get_hookcallers(module) or []:
        if not caller.has_spec():
            raise PluginError(
                f"no hook is called {caller.name!r}{did_you_mean(caller.name, HOOKS)} "
                f"(hooks: {', '.join(HOOKS)})"
            )


def _implementations(
    manager: pluggy.PluginManager, module: object, hook: str
) -> list[pluggy.HookImpl]:
    caller = getattr(manager.hook, hook)
    return [impl for impl in caller.get_hookimpls() if impl.plugin is module]


def _results(manager: pluggy.PluginManager, module: object, hook: str) -> list[Any]:
    found = _implementations(manager, module, hook)
    return [item for impl in found for item in _listed(impl.function(), hook)]


def _listed(result: object, hook: str) -> Sequence[Any]:
    if isinstance(result, str) or not isinstance(result, Iterable):
        raise PluginError(f"{hook}() must return a list, got {result!r}")
    return list(result)


def _stage(found: list[Any], kind: Kind[Any]) -> dict[str, Any]:
    """What a hook returned, by name."""
    staged: dict[str, Any] = {}
    for item in found:
        each: Any = _checked_class(item, kind) if kind.read is None else kind.read(Path(item))
        if each.name in staged:
            raise PluginError(f'{kind.word} "{each.name}" is registered twice')
        staged[each.name] = each
    return staged


def _checked_class(item: Any, kind: Kind[Any]) -> type[Configuration]:
    contract: type[Configuration] = kind.contract
    if not (isinstance(item, type) and issubclass(item, contract)):
        raise PluginError(
            f"{kind.hook}() must return subclasses of {contract.__name__}, got {item!r}"
        )
    if inspect.isabstract(item):
        missing = ", ".join(sorted(item.__abstractmethods__))
        raise PluginError(f"{item.__name__} does not define {missing}")
    name = getattr(item, "name", None)
    if not (isinstance(name, str) and NAME_PATTERN.fullmatch(name)):
        raise PluginError(
            f"{item.__name__}.name must be lower-case words joined by '-', got {name!r}"
        )
    return item
