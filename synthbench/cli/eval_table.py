"""The table that ends `synthbench eval`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.markup import escape

from synthbench.results.figures import PICTURE_FILE
from synthbench.results.results import CellResult
from synthbench.results.terminal_table import results_console
from synthbench.results.text import print_result_tables


def print_results(results: Sequence[CellResult], folder: Path) -> None:
    """The tables of each task, as wide as the terminal, then where the files are."""
    console = results_console()
    print_result_tables(console, [result.measured for result in results])
    picture = folder if len(results) > 1 else results[0].folder
    console.print(f"picture: {escape(str(picture / PICTURE_FILE))}", soft_wrap=True)
    console.print(f"records: {escape(str(folder))}", soft_wrap=True)
    console.print(f"more: synthbench metrics {escape(str(folder))}", style="dim", soft_wrap=True)
