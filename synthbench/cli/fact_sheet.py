"""How `synthbench show` sets what it says: a heading, a text, facts below one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def heading(console: Console, kind: str, name: str, text: str) -> None:
    """A name in bold, what it is, and what it says of itself."""
    from rich.markup import escape

    # Join the lines of each paragraph, which were wrapped for another width.
    paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
    console.print(f"[bold]{escape(name)}[/] ({kind})\n")
    console.print(escape("\n\n".join(paragraphs)) + "\n")


def fact(console: Console, name: str, value: str) -> None:
    """A word, and beside it what there is to say, as many lines as it takes."""
    from rich.markup import escape
    from rich.table import Table

    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="dim", justify="right", min_width=10)
    # A reference longer than a line goes on below: cut short, nobody could type it.
    table.add_column(overflow="fold")
    table.add_row(escape(name), escape(value))
    console.print(table)
