"""`--help` of a group: what its commands do, in whole sentences."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

LONGEST = 10_000
"""Characters: no first sentence of a docstring is longer."""


class WholeHelp(TyperGroup):
    """Wraps what a command says of itself, where Click would cut it short at one line."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """One row for each command: its name, and its first sentence."""
        rows = []
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                rows.append((name, command.get_short_help_str(limit=LONGEST)))
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)
