"""Entry points of plugins that are made by a test, and what is loaded from them."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import synthbench as sb
from synthbench.registry.host import PluginHost
from synthbench.registry.registry import Registry


@dataclass
class FakePoint:
    """An entry point that loads what it is given, or raises it."""

    name: str
    target: object
    distribution: str = "third-party"
    value: str = "somewhere"

    @property
    def dist(self) -> SimpleNamespace:
        return SimpleNamespace(name=self.distribution, version="1.2.3")

    def load(self) -> object:
        if isinstance(self.target, BaseException):
            raise self.target
        return self.target


def plugin(*, api: object = None, **hooks: object) -> SimpleNamespace:
    """A plugin module with the given hooks, each a function or the list it returns."""
    functions = {} if api is None else {"synthbench_plugin_api": api}
    for name, value in hooks.items():
        function = value if callable(value) else (lambda found=value: found)
        functions[name] = sb.hookimpl(_named(function, name, callable(value)))
    return SimpleNamespace(__name__="module", **functions)


def _named(function: object, name: str, keep: bool) -> object:
    if keep:
        return function
    found = function()

    def hook():
        return found

    hook.__name__ = name
    return hook


def load(*points: FakePoint, wanted: str = "") -> PluginHost:
    """A host of these entry points; wanted: as SYNTHBENCH_PLUGINS says it."""
    return PluginHost.from_entry_points(points, wanted)


def third_party(**hooks: object) -> Registry:
    """What `mine` provides, a plugin of the distribution `third-party`, and nothing else."""
    return Registry(load(FakePoint("mine", plugin(**hooks))))
