"""A registry that knows one class, whatever is installed."""

from __future__ import annotations

from typing import Any, TypeVar

import pluggy

from synthbench.contracts.configuration import Configuration, configurations_in
from synthbench.contracts.model import Model
from synthbench.contracts.recipe import Optimizer
from synthbench.registry.host import PluginHost
from synthbench.registry.installed_points import GROUP
from synthbench.registry.kinds import KINDS, OPTIMIZER, Kind, kind_of
from synthbench.registry.plugin import Plugin
from synthbench.registry.registry import Registry

C = TypeVar("C", bound=Configuration)


def lone_registry(kind: Kind[C], subject: C) -> Registry:
    """Looks up the class of `subject`, those of its parts, and that of its recipe's optimizer."""
    provided: dict[Kind[Any], dict[str, Any]] = {each: {} for each in KINDS}
    for part in configurations_in(subject).values():
        provided[kind_of(type(part))][part.name] = type(part)
    provided[kind][subject.name] = type(subject)
    if isinstance(subject, Model) and isinstance(subject.recipe.optimizer, Optimizer):
        optimizer = subject.recipe.optimizer
        provided[OPTIMIZER][optimizer.name] = type(optimizer)
    host = PluginHost(pluggy.PluginManager(GROUP))
    host.plugins.append(Plugin("examined", "examined", "0", provided))
    return Registry(host)
