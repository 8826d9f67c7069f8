"""Which plugins take part in a cell: what its record names."""

from __future__ import annotations

from collections.abc import Iterable

from synthbench.cell import Cell
from synthbench.configuration import Configuration
from synthbench.optimizer import Optimizer
from synthbench.plugins import Plugin
from synthbench.records.schema import Distribution, SuiteReference
from synthbench.registry import installed
from synthbench.tracker import Tracker


def parts_of(cell: Cell) -> list[tuple[str, Configuration]]:
    """Kind and configuration of everything that decides the cell's numbers."""
    optimizer = cell.model.recipe.optimizer
    return [
        ("tasks", cell.task),
        ("models", cell.model),
        *(("probes", probe) for probe in cell.probes),
        *([("optimizers", optimizer)] if isinstance(optimizer, Optimizer) else []),
    ]


def provider_of(kind: str, config: Configuration) -> Plugin | None:
    """The installed plugin that provides this very class, if one does."""
    plugin = installed().names(kind).get(config.name)
    provides = plugin is not None and plugin.classes[kind][config.name] is type(config)
    return plugin if provides else None


def participants(
    cell: Cell, trackers: Iterable[Tracker], suite: SuiteReference | None
) -> tuple[Distribution, ...]:
    """The plugins of the cell's parts, its trackers and its suite, and third-party listeners.

    A listener may change nothing that is measured, but runs in the same process.
    """
    parts = [*parts_of(cell), *(("trackers", tracker) for tracker in trackers)]
    found = [provider_of(kind, config) for kind, config in parts]
    if suite is not None:
        found.append(installed().names("suites").get(suite.name))
    found += [p for p in installed().host.plugins if p.listens and not p.is_bundled]
    named = {plugin.name: plugin for plugin in found if plugin is not None}
    return tuple(
        Distribution(plugin=p.name, distribution=p.distribution, version=p.distribution_version)
        for p in named.values()
    )
