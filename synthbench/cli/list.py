"""`synthbench list`: what is installed."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from synthbench.registry import Registry


class Kind(StrEnum):
    """What can be listed."""

    tasks = "tasks"
    models = "models"
    probes = "probes"
    trackers = "trackers"
    suites = "suites"
    plugins = "plugins"


def list_command(
    kind: Annotated[Kind | None, typer.Argument(help="Default: everything.")] = None,
) -> None:
    """List tasks, models, probes, trackers, suites and plugins."""
    from rich.console import Console
    from rich.markup import escape

    from synthbench.registry import installed

    registry = installed()
    console = Console(soft_wrap=False)
    for each in [kind] if kind else list(Kind):
        console.print(_plugins(registry) if each is Kind.plugins else _names(registry, each.value))
    for failure in registry.host.failures:
        console.print(f"[yellow]warning:[/] {escape(failure.describe())}", soft_wrap=True)


def _names(registry: Registry, kind: str) -> Table:
    table = _empty_table(kind, "summary", "from")
    for name, plugin in sorted(registry.names(kind).items()):
        if kind == "suites":
            summary = registry.suite(name).title
        else:
            summary = first_line(registry.find(kind, name).__doc__)
        _add_row(table, name, summary, plugin.distribution)
    return table


def _plugins(registry: Registry) -> Table:
    table = _empty_table("plugins", "provides", "from")
    for plugin in registry.host.plugins:
        source = f"{plugin.distribution} {plugin.distribution_version}"
        _add_row(table, plugin.name, ", ".join(plugin.names()), source)
    return table


def _empty_table(kind: str, *columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column(kind, style="bold", no_wrap=True)
    for column in columns:
        table.add_column(column)
    return table


def _add_row(table: Table, *cells: str) -> None:
    from rich.markup import escape

    table.add_row(*(escape(cell) for cell in cells))


def first_line(docstring: str | None) -> str:
    """The first line of a docstring."""
    return (docstring or "").strip().partition("\n")[0]
