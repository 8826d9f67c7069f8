"""What the listeners have in common that show how far an evaluation is."""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Callable, Sequence

from synthbench.listeners.cell_tally import CellTally
from synthbench.listeners.listener import BlockProgress, Listener, PlannedCell
from synthbench.listeners.tally import Tally
from synthbench.metrics.formatting import format_seconds
from synthbench.plan.cell import Cell
from synthbench.records import Record


class CountingListener(Listener):
    """Keeps the tally, says a line when a cell is finished, and draws every so often."""

    def __init__(self, interval: float, clock: Callable[[], float] = time.monotonic) -> None:
        """interval: seconds between two drawings, at least; clock: seconds."""
        self.tally = Tally(clock)
        self._interval, self._clock = interval, clock
        self._drawn = clock()

    @abstractmethod
    def say(self, line: str) -> None:
        """Show a line that stays."""

    @abstractmethod
    def draw(self) -> None:
        """Show how far the evaluation is, in place of what was drawn before."""

    def evaluation_planned(self, planned: Sequence[PlannedCell]) -> None:
        """Take in all cells."""
        self.tally.plan(planned)

    def cell_started(self, cell: Cell) -> None:
        """Start the cell's clock."""
        self.tally.start(cell)

    def block_advanced(self, progress: BlockProgress) -> None:
        """Count, and draw if it is time."""
        self.tally.advance(progress)
        if self._clock() - self._drawn >= self._interval:
            self.draw_now()

    def cell_finished(self, record: Record, reused: bool) -> None:
        """Say the cell's line."""
        tally = self.tally.finish(record.plan_hash)
        apart = self.tally.distinction(tally)
        name = f"{record.model} on {record.task}" + (f", {apart}" if apart else "")
        how = "already finished" if reused else "finished"
        solved = f"{record.summary.solved}/{record.summary.replicas} solved"
        self._drawn = self._clock()
        self.say(f"{self.numbered(tally)}{name}: {how}, {solved}")

    def cell_failed(self, cell: Cell, reason: str) -> None:
        """Say the cell's line."""
        tally = self.tally.fail(cell)
        apart = self.tally.distinction(tally)
        name = f"{cell.label()} on {cell.task.label()}" + (f", {apart}" if apart else "")
        self.say(f"{self.numbered(tally)}{name}: failed: {reason}")
        self.draw_now()

    def draw_now(self) -> None:
        """Draw, and wait for the interval from now on."""
        self._drawn = self._clock()
        self.draw()

    def numbered(self, cell: CellTally) -> str:
        """`[3/8] ` before the name of a cell that is not alone."""
        count = len(self.tally.cells)
        return f"[{cell.number}/{count}] " if count > 1 else ""


def solved_of(cells: Sequence[CellTally]) -> str:
    """`12/32 solved`, over some cells."""
    solved, replicas = (
        sum(of) for of in zip(*((c.solved, c.replicas) for c in cells), strict=True)
    )
    return f"{solved}/{replicas} solved"


def time_left(seconds: float | None) -> str | None:
    """`at most 45 min left`; None where that is not known yet."""
    return None if seconds is None else f"at most {format_seconds(seconds)} left"
