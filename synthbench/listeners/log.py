"""Lines for output that goes to a file or a pipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

from synthbench.listeners.counting import CountingListener, solved_of, time_left

INTERVAL_SECONDS = 30.0
MOST_NAMES = 3
"""Cells that a line names; of others it says how many."""


class LogListener(CountingListener):
    """A line every half minute, one at the end of each cell, and what a person should know."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        """stream: where lines go; clock: seconds."""
        super().__init__(INTERVAL_SECONDS, clock)
        self._stream = stream

    def note(self, message: str) -> None:
        """Write one line."""
        self._write(f"note: {message}")

    def say(self, line: str) -> None:
        """Write it, with the time left for other cells."""
        left = time_left(self.tally.seconds_left) if self.tally.left else None
        self._write(line if left is None else f"{line}, {left}")

    def draw(self) -> None:
        """Write which cells are under way, how far they are, and the time left for all."""
        running = self.tally.under_way
        if not running:
            return
        names = [self.numbered(cell) + self.tally.name(cell) for cell in running]
        if len(names) > MOST_NAMES:
            names[MOST_NAMES:] = [f"{len(names) - MOST_NAMES} more"]
        share = sum(cell.share for cell in running) / len(running)
        rest = time_left(self.tally.seconds_left)
        whole = f" for all {len(self.tally.cells)}" if len(self.tally.cells) > 1 else ""
        facts = [f"{share:.0%}", solved_of(running), *([] if rest is None else [rest + whole])]
        self._write(f"{', '.join(names)}: {', '.join(facts)}")

    def _write(self, line: str) -> None:
        print(line, file=self._stream, flush=True)
