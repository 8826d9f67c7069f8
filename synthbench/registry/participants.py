"""Which plugins take part in a cell: what its record names."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from synthbench.contracts.configuration import Configuration, configurations_in
from synthbench.contracts.recipe import Optimizer
from synthbench.listeners.tracker import Tracker
from synthbench.plan.cell import Cell
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records.schema import Distribution, Environment
from synthbench.registry.bare_model import is_bare
from synthbench.registry.fingerprints.source import source_fingerprint
from synthbench.registry.kinds import (
    MODEL,
    OPTIMIZER,
    PROBE,
    SUITE,
    TASK,
    TRACKER,
    Kind,
    kind_of,
)
from synthbench.registry.parts import part_fields
from synthbench.registry.plugin import Plugin
from synthbench.registry.registry import installed

CODE = "code."
"""Before the fingerprint of a plugin's code, in the version that a record gives it."""


def parts_of(cell: Cell) -> list[tuple[Kind[Any], Configuration]]:
    """Kind and configuration of everything that decides the cell's numbers.

    So also those of the cells it stands on.
    """
    optimizer = cell.model.recipe.optimizer
    return [
        (TASK, cell.task),
        (MODEL, cell.model),
        *((PROBE, probe) for probe in cell.probes),
        *((kind_of(type(part)), part) for part in _parts(cell)),
        *([(OPTIMIZER, optimizer)] if isinstance(optimizer, Optimizer) else []),
        *(part for source in cell.sources().values() for part in parts_of(source.cell)),
    ]


def _parts(cell: Cell) -> Iterator[Configuration]:
    """What is in a field of the task, the model or a probe: a mixer."""
    for config in (cell.task, cell.model, *cell.probes):
        yield from configurations_in(config).values()


def provider_of(kind: Kind[Any], config: Configuration) -> Plugin | None:
    """The installed plugin that provides this very class, if one does."""
    plugin = installed().names(kind).get(config.name)
    provides = plugin is not None and plugin.provided[kind][config.name] is type(config)
    return plugin if provides else None


def unregistered(cell: Cell) -> list[Configuration]:
    """The parts of a cell whose classes no installed plugin provides."""
    return [config for kind, config in parts_of(cell) if provider_of(kind, config) is None]


def uninstalled(kind: Kind[Any], description: Mapping[str, Any]) -> str | None:
    """The name of what a record describes, or of a part of it, that no installed plugin provides.

    kind: of what is described. None: everything is installed, so it can be built again.
    """
    name = str(description["name"])
    if name not in installed().names(kind) or is_bare(description):
        return name
    parts = part_fields(installed().find(kind, name))
    described = ((kind_of(cls), description.get(key)) for key, cls in parts.items())
    found = (uninstalled(kind, part) for kind, part in described if isinstance(part, Mapping))
    return next((each for each in found if each is not None), None)


def participants(
    cell: Cell, trackers: Iterable[Tracker], suite: SuiteReference | None
) -> tuple[Distribution, ...]:
    """The plugins of the cell's parts, its trackers and its suite, and third-party listeners.

    A listener may change nothing that is measured, but runs in the same process. Versions of
    those that decide the numbers carry their code: `code_versions`.
    """
    parts = [*parts_of(cell), *((TRACKER, tracker) for tracker in trackers)]
    found = [provider_of(kind, config) for kind, config in parts]
    if suite is not None:
        found.append(installed().names(SUITE).get(suite.name))
    found += [p for p in installed().host.plugins if p.listens and not p.is_bundled]
    named, versions = {plugin.name: plugin for plugin in found if plugin}, code_versions(cell)
    return tuple(
        Distribution(
            plugin=p.name,
            distribution=p.distribution,
            version=versions.get(p.name, p.distribution_version),
        )
        for p in named.values()
    )


def code_versions(cell: Cell) -> dict[str, str]:
    """Third-party plugin -> version and code, `0.3.0+code.1a2b3c4d`, for those with a part in it.

    Whoever writes a plugin edits it where it lies, between two releases: its version alone would
    pass an old result for one of the new code.
    """
    classes: dict[str, list[type]] = {}
    plugins: dict[str, Plugin] = {}
    for kind, config in parts_of(cell):
        plugin = provider_of(kind, config)
        if plugin is not None and not plugin.is_bundled:
            plugins[plugin.name] = plugin
            classes.setdefault(plugin.name, []).append(type(config))
    return {
        name: _with_code(plugin.distribution_version, classes[name])
        for name, plugin in plugins.items()
    }


def changed_plugins(cell: Cell, environment: Environment) -> list[str]:
    """The plugins whose code in this cell is not what it was in that environment.

    None where that cannot be seen: another Python version may read source differently.
    """
    if environment.python.split(".")[:2] != platform.python_version().split(".")[:2]:
        return []
    before = {plugin.plugin: plugin.version for plugin in environment.plugins}
    return [
        name
        for name, version in code_versions(cell).items()
        if CODE in before.get(name, "") and _code_of(before[name]) != _code_of(version)
    ]


def _with_code(version: str, classes: list[type]) -> str:
    """The code as a local version label (PEP 440)."""
    ordered = tuple(sorted(classes, key=lambda cls: f"{cls.__module__}.{cls.__qualname__}"))
    separator = "." if "+" in version else "+"
    return f"{version}{separator}{CODE}{source_fingerprint(ordered)[:8]}"


def _code_of(version: str) -> str:
    return version.rpartition(CODE)[2]
