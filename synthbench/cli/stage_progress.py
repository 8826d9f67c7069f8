"""A progress bar for each stage of reading and writing pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.progress import TaskID as Bar

from synthbench.cli.surroundings import watched


class Stages:
    """Bars by the names of their stages; a bar goes when its stage is done."""

    def __init__(self, progress: Progress) -> None:
        """progress: where the bars are drawn."""
        self._progress = progress
        self._bars: dict[str, Bar] = {}

    def stage(self, name: str) -> Callable[[int, int], None]:
        """What to call with the work done and all of it."""

        def advance(done: int, total: int) -> None:
            if name not in self._bars:
                self._bars[name] = self._progress.add_task(escape(name), total=total)
            self._progress.update(self._bars[name], completed=done, visible=done < total)

        return advance


@contextmanager
def stage_progress(console: Console) -> Iterator[Stages]:
    """Draw while the block runs, and leave nothing behind."""
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=None), MofNCompleteColumn(),
               TimeRemainingColumn(compact=True))  # fmt: skip
    # Into a file or a pipe it would leave an empty line.
    with Progress(*columns, console=watched(console), transient=True) as progress:
        yield Stages(progress)
