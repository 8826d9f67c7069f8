"""Tables of the terminal: nothing in them is cut short."""

from __future__ import annotations

import io

from rich.console import Console

from synthbench.results.terminal_table import word_table


def test_a_word_that_is_longer_than_its_column_goes_on_below() -> None:
    table = word_table(("name",), "what", "from")
    table.add_row("a", "some words about it", "synthbench-something-with-a-long-name")
    stream = io.StringIO()
    Console(file=stream, width=36).print(table)
    text = stream.getvalue()
    assert "…" not in text and max(map(len, text.splitlines())) <= 36
    rows = [line.split() for line in text.splitlines() if line.strip()]
    assert "synthbench-something-with-a-long-name" in "".join(row[-1] for row in rows[2:])
