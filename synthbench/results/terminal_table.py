"""The tables of the terminal, all drawn alike. Text in them is markup: escape what is not."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.table import Table

WIDTH = 80
"""Columns where there is no terminal."""


def results_console() -> Console:
    """Standard output as wide as the terminal, or as COLUMNS says; 80 where it is no terminal."""
    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        # Rich would take the width of the terminal from which the pipe was started.
        console.width = WIDTH
    return console


def number_table(
    label: str, numbers: Sequence[str], *, before: Sequence[str] = (), title: str | None = None
) -> Table:
    """80 columns wide: a label that folds, then numbers, which do not.

    before: headings of what stands left of the label, and does not fold either.
    """
    table = Table(
        title=title,
        title_justify="left",
        title_style="",
        box=box.SIMPLE_HEAD,
        width=WIDTH,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    for heading in before:
        table.add_column(heading, no_wrap=True)
    table.add_column(label, overflow="fold", ratio=1)
    for heading in numbers:
        table.add_column(heading, justify="right", no_wrap=True)
    return table


def word_table(names: Sequence[str], *words: str, title: str | None = None) -> Table:
    """As wide as it needs to be: names, which do not fold, the first one bold, then words.

    A word that is longer than its column goes on below; none is cut short.
    """
    table = Table(
        title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for index, heading in enumerate(names):
        table.add_column(heading, style="" if index else "bold", no_wrap=True)
    for heading in words:
        table.add_column(heading, overflow="fold")
    return table
