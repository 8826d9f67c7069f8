"""The lines about what is left out of reports: a whole study, or a cell that cannot be read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from synthbench.errors import SynthbenchError

if TYPE_CHECKING:
    from rich.console import Console

    from synthbench.papers.report.content import Report


def say_left_out(console: Console, name: str, error: SynthbenchError) -> None:
    """Print that the others have reports, and what is wrong with this one."""
    from rich.markup import escape

    console.print(f"[yellow]left out:[/] {escape(f'{name}: {error}')}", soft_wrap=True)


def say_not_drawn(console: Console, report: Report) -> None:
    """Print which figures of a report could not be drawn, and why."""
    from rich.markup import escape

    for number, picture in enumerate(report.pictures, start=1):
        if picture.absent:
            line = f"{report.study.name}: figure {number}, {picture.figure.kind}: {picture.absent}"
            console.print(f"[yellow]not drawn:[/] {escape(line)}", soft_wrap=True)


def say_unreadable(console: Console, lines: Iterable[str]) -> None:
    """Print what lies among the results of a study and cannot be read; lines: each says why."""
    from rich.markup import escape

    for line in lines:
        console.print(f"[yellow]warning:[/] {escape(line)}", soft_wrap=True)
