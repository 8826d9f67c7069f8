"""`synthbench list`: what is installed."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthbench.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from synthbench.registry.host import PluginHost
    from synthbench.registry.kinds import Kind
    from synthbench.registry.plugin import Plugin
    from synthbench.registry.registry import Registry


class Listed(StrEnum):
    """What can be listed."""

    tasks = "tasks"
    models = "models"
    probes = "probes"
    optimizers = "optimizers"
    trackers = "trackers"
    launchers = "launchers"
    measurements = "measurements"
    suites = "suites"
    studies = "studies"
    plugins = "plugins"


def complete_listed(incomplete: str) -> list[str]:
    """Kinds that begin so."""
    return [kind.value for kind in Listed if kind.startswith(incomplete)]


def read_listed(word: str) -> Listed:
    """The kind of a word; ConfigurationError for another."""
    try:
        return Listed(word)
    except ValueError:
        guess, known = did_you_mean(word, Listed), ", ".join(Listed)
        raise ConfigurationError(f'"{word}" cannot be listed{guess} (kinds: {known})') from None


def list_command(
    kind: Annotated[
        # Typer writes the choices of an enumeration on one line, wider than a terminal.
        str | None,
        typer.Argument(
            metavar="KIND",
            help=f"One of {', '.join(Listed)}. Default: everything.",
            autocompletion=complete_listed,
        ),
    ] = None,
) -> None:
    """List what plugins provide, from tasks to paper studies, and the plugins."""
    from rich.console import Console
    from rich.markup import escape

    from synthbench.registry.kinds import KINDS
    from synthbench.registry.registry import installed

    registry = installed()
    console = Console(soft_wrap=False, highlight=False)
    wanted = None if kind is None else read_listed(kind)
    for each in KINDS:
        if wanted in (None, each.plural):
            console.print(_names(registry, each))
    if wanted in (None, Listed.plugins):
        _print_plugins(console, registry.host)
    else:
        for line in registry.host.absent():
            console.print(f"[yellow]warning:[/] {escape(line)}", soft_wrap=True)


def _names(registry: Registry, kind: Kind[Any]) -> Table:
    from synthbench.contracts.elementwise import ELEMENTWISE
    from synthbench.registry.kinds import OPTIMIZER
    from synthbench.registry.selection import OWN_DISTRIBUTION
    from synthbench.results.terminal_table import word_table

    table = word_table((kind.plural,), "summary", "from")
    if kind == OPTIMIZER:
        for name, built_in in ELEMENTWISE.items():
            _add_row(table, name, built_in.summary, f"{OWN_DISTRIBUTION}, built in")
    for name, plugin in sorted(registry.names(kind).items()):
        if kind.is_file:
            summary = plugin.provided[kind][name].title
        else:
            summary = first_line(registry.find(kind, name).__doc__)
        _add_row(table, name, summary, plugin.distribution)
    return table


def _print_plugins(console: Console, host: PluginHost) -> None:
    """Those that loaded; apart from them those that did not, last, where they are seen."""
    from synthbench.results.terminal_table import word_table

    loaded = word_table(("plugins",), "from", "provides")
    for plugin in host.plugins:
        source = _source(plugin.distribution, plugin.distribution_version)
        _add_row(loaded, plugin.name, source, _provided(plugin))
    console.print(loaded)
    if host.left_out:
        table = word_table(("left out",), "from", "by")
        for absent in host.left_out:
            source = _source(absent.distribution, absent.distribution_version)
            _add_row(table, absent.name, source, absent.reason)
        console.print(table)
    if host.failures:
        table = word_table(("[red]set aside[/]",), "from", "why")
        for failure in host.failures:
            source = _source(failure.distribution, failure.distribution_version)
            _add_row(table, failure.name, source, failure.error)
        console.print(table)


def _source(distribution: str, version: str) -> str:
    return f"{distribution} {version}"


def _provided(plugin: Plugin) -> str:
    """A line for each kind of which the plugin has any, and one for the events it hears."""
    lines = [
        f"{kind.plural if len(names) > 1 else kind.word} {', '.join(names)}"
        for kind, names in plugin.provides().items()
    ]
    if plugin.listens:
        lines.append(f"listens to {', '.join(plugin.listens)}")
    return "\n".join(lines) or "nothing"


def _add_row(table: Table, *cells: str) -> None:
    from rich.markup import escape

    table.add_row(*(escape(cell) for cell in cells))


def first_line(docstring: str | None) -> str:
    """The first line of a docstring."""
    return (docstring or "").strip().partition("\n")[0]
