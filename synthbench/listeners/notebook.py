"""Progress below a notebook's cell, in HTML that any Jupyter front end can show."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Any, Self

from markupsafe import Markup

from synthbench.listeners.listener import BlockProgress, Listener
from synthbench.listeners.tally import Tally
from synthbench.metrics.formatting import format_count, format_seconds
from synthbench.plan.cell import Cell
from synthbench.records import Record

REFRESH_SECONDS = 0.25
BAR = Markup(
    "<div><code>{label}</code> on <code>{task}</code><br>"
    '<progress max="1" value="{share:.4f}" style="width: 22em; vertical-align: middle">'
    "</progress> {facts}</div>"
)
LINE = Markup("<div>{}</div>")
NOTE = Markup("<div>note: {}</div>")


class NotebookListener(Listener):
    """One bar for the cell that trains, and a line for each one that has finished.

    Without ipywidgets, which Rich's bars need: the display is updated in place, and what a saved
    notebook keeps are the lines alone. The bar counts optimizer steps against the whole budget,
    so the time left is the most it can be.
    """

    def __init__(self, cells: int) -> None:
        """cells: how many will be evaluated."""
        self._cells = cells
        self._handle: Any = None
        self._lines: list[Markup] = []
        self._number = 0
        self._cell: Cell | None = None

    def __enter__(self) -> Self:
        """Nothing is drawn before something happens."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take the bar away; the lines stay."""
        if self._cell is not None:
            self._cell = None
            self._draw()

    def note(self, message: str) -> None:
        """Add a line."""
        self._lines.append(NOTE.format(message))
        self._draw()

    def cell_started(self, cell: Cell) -> None:
        """Draw the cell's bar."""
        self._cell = cell
        self._tally = Tally(cell)
        self._drawn = time.monotonic()
        self._draw(self._bar(cell, "starting"))

    def block_advanced(self, progress: BlockProgress) -> None:
        """Move the bar, at most four times a second."""
        if self._cell is None:
            return
        tally, now = self._tally, time.monotonic()
        tally.advance(progress)
        if now - self._drawn < REFRESH_SECONDS:
            return
        self._drawn = now
        seeds, left = self._cell.protocol.seeds, tally.seconds_left
        facts = [f"{tally.solved}/{seeds} solved", f"{format_count(tally.rate)} steps/s"]
        if left is not None:
            facts.append(f"at most {format_seconds(left)} left")
        self._draw(self._bar(self._cell, ", ".join(facts)))

    def cell_finished(self, record: Record, reused: bool) -> None:
        """Replace the bar by a line."""
        self._cell = None
        self._number += 1
        count = f"[{self._number}/{self._cells}] " if self._cells > 1 else ""
        how = "already finished" if reused else "finished"
        solved = f"{record.summary.solved}/{record.summary.replicas} solved"
        text = f"{count}{record.model} on {record.task}: {how}, {solved}"
        self._lines.append(LINE.format(text))
        self._draw()

    def _bar(self, cell: Cell, facts: str) -> Markup:
        label, task = cell.model.label(), cell.task.label()
        share = self._tally.done / self._tally.total
        return BAR.format(label=label, task=task, share=share, facts=facts)

    def _draw(self, bar: Markup | None = None) -> None:
        from IPython.display import HTML, display

        shown = [*self._lines, *([] if bar is None else [bar])]
        html = HTML(Markup("").join(shown))  # type: ignore[no-untyped-call]
        if self._handle is None:
            self._handle = display(html, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(html)
