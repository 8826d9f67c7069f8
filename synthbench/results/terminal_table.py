"""The tables of the terminal, all drawn alike. Text in them is markup: escape what is not."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table

WIDTH = 80


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
    """As wide as it needs to be: names, which do not fold, the first one bold, then words."""
    table = Table(
        title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for index, heading in enumerate(names):
        table.add_column(heading, style="" if index else "bold", no_wrap=True)
    for heading in words:
        table.add_column(heading)
    return table
