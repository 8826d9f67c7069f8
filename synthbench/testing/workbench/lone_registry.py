"""A registry that knows one class, whatever is installed."""

from __future__ import annotations

import pluggy

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.model import Model
from synthbench.contracts.recipe import Optimizer
from synthbench.registry.host import CONTRACTS, GROUP, Plugin, PluginHost
from synthbench.registry.registry import Registry


def lone_registry(kind: str, subject: Configuration) -> Registry:
    """Looks up the class of `subject`, and that of its recipe's optimizer.

    kind: one of `CONTRACTS`.
    """
    classes: dict[str, dict[str, type[Configuration]]] = {each: {} for each in CONTRACTS}
    classes[kind][subject.name] = type(subject)
    if isinstance(subject, Model) and isinstance(subject.recipe.optimizer, Optimizer):
        optimizer = subject.recipe.optimizer
        classes["optimizers"][optimizer.name] = type(optimizer)
    host = PluginHost(pluggy.PluginManager(GROUP))
    host.plugins.append(Plugin("examined", "examined", "0", classes, {}))
    return Registry(host)


def from_reference(kind: str, subject: Configuration, reference: str) -> Configuration:
    """What a reference means where only the class of `subject` is installed."""
    registry = lone_registry(kind, subject)
    if kind == "tasks":
        return registry.task(reference)
    if kind == "models":
        return registry.model(reference)
    if kind == "probes":
        return registry.probe(reference)
    return registry.optimizer(reference)
