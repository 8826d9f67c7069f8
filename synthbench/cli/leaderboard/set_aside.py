"""The lines about submissions that are not on their board."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from synthbench.leaderboard.standings.board import Board


def say_refused(console: Console, board: Board) -> None:
    """Print why each submission is set aside."""
    from rich.markup import escape

    for refused in board.refused:
        console.print(
            f"[yellow]set aside:[/] {escape(ascii(refused.folder.name))}: {escape(refused.reason)}",
            soft_wrap=True,
        )
