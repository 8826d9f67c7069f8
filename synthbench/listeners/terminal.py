"""Progress bars in a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from synthbench.listeners.cell_tally import CellTally
from synthbench.listeners.counting import CountingListener, solved_of
from synthbench.listeners.listener import Listener, PlannedCell
from synthbench.metrics.formatting import format_count, format_seconds
from synthbench.plan.cell import Cell
from synthbench.records import Record

REFRESH_SECONDS = 0.1
LONGEST_NAME, SHORTEST_NAME = 60, 12
RATE_WIDTH, LEFT_WIDTH = len("40.1k steps/s"), len("< 45.0 s")
BESIDE_NAME = 56
"""Columns that a line takes for its number, its bar, replicas solved, steps and the time left."""


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


class TerminalListener(DrawnListener, CountingListener):
    """Bars on stderr: one for all cells together, and one for each that is under way.

    A cell's says the replicas solved so far, optimizer steps per second summed over replicas, and
    the time left; bar and time count every replica that still runs to the end of its budget, so
    the time is the most it can be, and shrinks as replicas stop.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds."""
        super().__init__(REFRESH_SECONDS, clock)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[count]}", justify="right"),
            TextColumn("{task.fields[rate]}", justify="right"),
            TextColumn("{task.fields[left]}", justify="right"),
            console=Console(stderr=True),
        )
        self._whole: TaskID | None = None
        self._bars: dict[int, TaskID] = {}

    def evaluation_planned(self, planned: Sequence[PlannedCell]) -> None:
        """Take in all cells."""
        super().evaluation_planned(planned)
        if len(planned) > 1 and self._whole is None:
            self._whole = self._add(f"all {len(planned)} cells")

    def cell_started(self, cell: Cell) -> None:
        """Add the cell's bar."""
        super().cell_started(cell)
        tally = self.tally.of(cell)
        if tally.number not in self._bars:
            self._bars[tally.number] = self._add("")
        self.draw_now()

    def cell_finished(self, record: Record, reused: bool) -> None:
        """Say the cell's line, and take its bar away."""
        super().cell_finished(record, reused)
        self.draw_now()

    def say(self, line: str) -> None:
        """Print above the bars."""
        self._progress.console.print(escape(line), highlight=False, soft_wrap=True)

    def draw(self) -> None:
        """Move the bars, and take away those of finished cells."""
        running = {cell.number: cell for cell in self.tally.under_way}
        for number in [number for number in self._bars if number not in running]:
            self._progress.remove_task(self._bars.pop(number))
        for number, cell in running.items():
            self._draw_cell(self._bars[number], cell)
        if self._whole is not None and self.tally.over:
            self._progress.remove_task(self._whole)
            self._whole = None
        elif self._whole is not None:
            self._progress.update(
                self._whole,
                completed=self.tally.share,
                count=f"{self.tally.finished} finished",
                left=_at_most(self.tally.seconds_left),
            )

    def _draw_cell(self, bar: TaskID, cell: CellTally) -> None:
        room = self._progress.console.width - BESIDE_NAME
        name = self.tally.name(cell, min(max(room, SHORTEST_NAME), LONGEST_NAME))
        rate = cell.rate
        self._progress.update(
            bar,
            description=escape(self.numbered(cell) + name),
            completed=cell.share,
            count=solved_of([cell]).rjust(len(f"{cell.replicas}/{cell.replicas} solved")),
            rate=("" if rate is None else f"{format_count(rate)} steps/s").rjust(RATE_WIDTH),
            left=_at_most(cell.seconds_left).rjust(LEFT_WIDTH),
        )

    def _add(self, name: str) -> TaskID:
        return self._progress.add_task(name, total=1.0, count="", rate="", left="")


def _at_most(seconds: float | None) -> str:
    return "" if seconds is None else f"< {format_seconds(seconds)}"
