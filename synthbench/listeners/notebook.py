"""Progress below a notebook's cell, in HTML that any Jupyter front end can show."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from markupsafe import Markup

from synthbench.listeners.cell_tally import CellTally
from synthbench.listeners.counting import CountingListener, solved_of, time_left
from synthbench.metrics.formatting import format_count
from synthbench.plan.cell import Cell
from synthbench.records import Record

REFRESH_SECONDS = 0.25
BAR = Markup(
    "<div><code>{name}</code><br>"
    '<progress max="1" value="{share:.4f}" style="width: 22em; vertical-align: middle">'
    "</progress> {facts}</div>"
)
LINE = Markup("<div>{}</div>")
NOTE = Markup("<div>note: {}</div>")


class NotebookListener(CountingListener):
    """Bars for all cells together and for each that is under way; a line for each finished one.

    Without ipywidgets, which Rich's bars need: the display is updated in place, and what a saved
    notebook keeps are the lines alone. Bars and times count every replica that still runs to the
    end of its budget, so the time left is the most it can be.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """clock: seconds."""
        super().__init__(REFRESH_SECONDS, clock)
        self._handle: Any = None
        self._lines: list[Markup] = []

    def __enter__(self) -> Self:
        """Nothing is drawn before something happens."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Take the bars away; the lines stay."""
        if self.tally.under_way:
            self._show()

    def note(self, message: str) -> None:
        """Add a line."""
        self._lines.append(NOTE.format(message))
        self.draw_now()

    def say(self, line: str) -> None:
        """Add it."""
        self._lines.append(LINE.format(line))

    def cell_started(self, cell: Cell) -> None:
        """Draw the cell's bar."""
        super().cell_started(cell)
        self.draw_now()

    def cell_finished(self, record: Record, reused: bool) -> None:
        """Say the cell's line, and take its bar away."""
        super().cell_finished(record, reused)
        self.draw_now()

    def draw(self) -> None:
        """Draw all bars anew."""
        running = self.tally.under_way
        bars = [self._bar(cell) for cell in running]
        if running and len(self.tally.cells) > 1:
            bars.insert(0, self._whole())
        self._show(*bars)

    def _bar(self, cell: CellTally) -> Markup:
        name = self.numbered(cell) + self.tally.name(cell)
        if cell.reported_at is None:
            return BAR.format(name=name, share=cell.share, facts="starting")
        rate = cell.rate
        facts = [
            solved_of([cell]),
            None if rate is None else f"{format_count(rate)} steps/s",
            time_left(cell.seconds_left),
        ]
        return BAR.format(name=name, share=cell.share, facts=", ".join(filter(None, facts)))

    def _whole(self) -> Markup:
        count = len(self.tally.cells)
        facts = [f"{self.tally.finished} finished", time_left(self.tally.seconds_left)]
        return BAR.format(
            name=f"all {count} cells", share=self.tally.share, facts=", ".join(filter(None, facts))
        )

    def _show(self, *bars: Markup) -> None:
        from IPython.display import HTML, display

        html = HTML(Markup("").join([*self._lines, *bars]))  # type: ignore[no-untyped-call]
        if self._handle is None:
            self._handle = display(html, display_id=True)  # type: ignore[no-untyped-call]
        else:
            self._handle.update(html)
