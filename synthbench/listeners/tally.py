"""How far a cell is, over all of its blocks."""

from __future__ import annotations

import time

from synthbench.listeners.listener import BlockProgress
from synthbench.plan.cell import Cell


class Tally:
    """Steps summed over replicas, replicas solved and pace, from what the blocks report.

    Counts against the whole budget: replicas that solve their task end earlier. What an
    earlier session did counts as done, and not for the pace.
    """

    def __init__(self, cell: Cell) -> None:
        """Starts the clock."""
        self.total = cell.steps * cell.protocol.seeds
        self.done = 0
        self.solved = 0
        self._cell = cell
        self._started = time.monotonic()
        self._first: int | None = None
        self._solved_before, self._block = 0, -1

    def advance(self, progress: BlockProgress) -> None:
        """Take in a block's report."""
        if progress.earlier != self._block:
            self._block, self._solved_before = progress.earlier, self.solved
        self.solved = self._solved_before + progress.solved
        self.done = progress.earlier * self._cell.steps + progress.replicas * progress.steps
        if self._first is None:
            self._first = self.done

    @property
    def rate(self) -> float:
        """Steps per second since the first report."""
        elapsed = time.monotonic() - self._started
        return (self.done - (self._first or 0)) / elapsed if elapsed > 0 else 0.0

    @property
    def seconds_left(self) -> float | None:
        """The most that is left at this pace; None before there is one."""
        return (self.total - self.done) / self.rate if self.rate > 0 else None
