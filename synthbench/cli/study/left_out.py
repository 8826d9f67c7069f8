"""The line about a study of which no report is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from synthbench.errors import SynthbenchError

if TYPE_CHECKING:
    from rich.console import Console


def say_left_out(console: Console, name: str, error: SynthbenchError) -> None:
    """Print that the others have reports, and what is wrong with this one."""
    from rich.markup import escape

    console.print(f"[yellow]left out:[/] {escape(f'{name}: {error}')}", soft_wrap=True)
