"""The progress bar of `synthbench leaderboard verify`."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from synthbench.cli.surroundings import watched
from synthbench.leaderboard.submissions.reading import CheckedSubmission
from synthbench.leaderboard.verification.verify import Verification, choose_replicas
from synthbench.listeners.listener import BlockProgress
from synthbench.listeners.terminal import DrawnListener
from synthbench.plan.cell import Cell
from synthbench.records import Record


class RerunProgress(DrawnListener):
    """One bar over all cells, in optimizer steps over the replicas that are trained again.

    Its total is what the record says that these replicas took, and none counts beyond that.
    """

    def __init__(self, checked: CheckedSubmission, verification: Verification) -> None:
        """checked: the submission; verification: which replicas are rerun."""
        self._steps: list[list[int]] = []
        for number, cell in enumerate(checked.cells, start=1):
            steps = cell.trajectories.by_replica("step")
            replicas = choose_replicas(len(steps), verification, number)
            self._steps.append([int(steps[replica][-1]) for replica in replicas])
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TimeRemainingColumn(compact=True),
            console=watched(Console(stderr=True)),
            transient=True,
        )
        self._bar = self._progress.add_task("rerunning", total=sum(map(sum, self._steps)))
        self._number = 0

    def cell_started(self, cell: Cell) -> None:
        """Name the cell."""
        self._progress.update(
            self._bar, description=f"\\[{self._number + 1}/{len(self._steps)}] rerunning"
        )

    def block_advanced(self, progress: BlockProgress) -> None:
        """Move the bar within the cell; replicas that have stopped no longer count."""
        steps, first = self._steps[self._number], progress.earlier
        running = steps[first : first + progress.replicas]
        done = sum(steps[:first]) + sum(min(progress.steps, most) for most in running)
        self._progress.update(self._bar, completed=self._earlier_cells() + done)

    def cell_finished(self, record: Record, reused: bool) -> None:
        """Nothing is recorded."""

    def cell_done(self) -> None:
        """Move the bar to the next cell."""
        self._number += 1
        self._progress.update(self._bar, completed=self._earlier_cells())

    def _earlier_cells(self) -> int:
        return sum(map(sum, self._steps[: self._number]))
