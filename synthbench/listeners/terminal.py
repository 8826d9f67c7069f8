"""Progress bars in a terminal."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from synthbench.listeners.listener import BlockProgress, Listener
from synthbench.listeners.tally import Tally
from synthbench.metrics.formatting import format_count
from synthbench.plan.cell import Cell
from synthbench.records import Record

REFRESH_SECONDS = 0.1
LABEL_WIDTH = 20


class DrawnListener(Listener):
    """A listener that draws bars while its block runs."""

    _progress: Progress

    def __enter__(self) -> Self:
        """Start drawing."""
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop drawing."""
        self._progress.stop()

    def note(self, message: str) -> None:
        """Print above the bars."""
        self._progress.console.print(f"[yellow]note:[/] {escape(message)}", soft_wrap=True)


class TerminalListener(DrawnListener):
    """One bar on stderr per cell: budget spent, replicas solved so far, throughput, time left.

    Steps are optimizer steps summed over replicas. The bar counts them against the whole
    budget, so the time left is the most it can be: a cell whose replicas all solve the task
    ends early.
    """

    def __init__(self, cells: int) -> None:
        """cells: how many will be evaluated."""
        self._console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[solved]}"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(compact=True),
            console=self._console,
        )
        self._cells = cells
        self._number = 0
        self._bar: TaskID | None = None
        self._tally: Tally | None = None

    def cell_started(self, cell: Cell) -> None:
        """Add the cell's bar."""
        self._tally, self._seeds = Tally(cell), cell.protocol.seeds
        self._drawn = time.monotonic()
        self._number += 1
        self._bar = self._progress.add_task(
            f"\\[{self._number}/{self._cells}] {escape(_shortened(cell.model.label()))}",
            total=self._tally.total,
            solved="",
            rate="",
        )

    def block_advanced(self, progress: BlockProgress) -> None:
        """Move the bar, at most ten times a second."""
        assert self._tally is not None and self._bar is not None
        self._tally.advance(progress)
        now = time.monotonic()
        if now - self._drawn < REFRESH_SECONDS:
            return
        self._drawn = now
        self._progress.update(
            self._bar,
            completed=self._tally.done,
            solved=f"{self._tally.solved}/{self._seeds} solved",
            rate=f"{format_count(self._tally.rate)} steps/s",
        )

    def cell_finished(self, record: Record, reused: bool) -> None:
        """Replace the bar by one line."""
        if self._bar is not None:
            self._progress.remove_task(self._bar)
            self._bar = None
        else:
            self._number += 1
        summary = record.summary
        how = "already finished" if reused else "finished"
        self._progress.console.print(
            f"[{self._number}/{self._cells}] {escape(record.model)} on {escape(record.task)}: "
            f"{how}, {summary.solved}/{summary.replicas} solved",
            highlight=False,
            soft_wrap=True,
        )


def _shortened(label: str) -> str:
    return label if len(label) <= LABEL_WIDTH else label[: LABEL_WIDTH - 3] + "..."
