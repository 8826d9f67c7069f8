"""How far an evaluation is, over all of its cells, and how long it takes at most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

from synthbench.listeners.cell_names import cell_names, distinctions
from synthbench.listeners.cell_tally import CellTally
from synthbench.listeners.listener import BlockProgress, PlannedCell
from synthbench.plan.cell import Cell


class Tally:
    """The tallies of all cells, and the time left for all of them together.

    A cell that has not begun is taken to do as many FLOPs per second as those that have, and to
    begin as slowly; where the FLOPs of a cell are unknown, steps count alike.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        """clock: seconds, such as `time.monotonic`."""
        self._clock = clock
        self._cells: dict[str, CellTally] = {}
        self._of_object: dict[int, CellTally] = {}
        self._flops: dict[int, float] = {}
        self._busy = 0.0
        self._counted_to = clock()
        self._names: tuple[int | None, list[str]] | None = None
        self._distinctions: list[str] | None = None

    def plan(self, planned: Sequence[PlannedCell]) -> None:
        """Take in what will be evaluated."""
        known = [each.step_flops for each in planned if each.step_flops]
        for number, each in enumerate(planned, start=1):
            tally = CellTally(each, number)
            self._cells[each.cell.plan_hash()] = self._of_object[id(each.cell)] = tally
            unknown = fmean(known) if known else 1.0
            self._flops[number] = each.step_flops or unknown

    def of(self, cell: Cell) -> CellTally:
        """The tally of a cell."""
        found = self._of_object.get(id(cell))
        return self._cells[cell.plan_hash()] if found is None else found

    def start(self, cell: Cell) -> CellTally:
        """A cell begins to train."""
        tally = self.of(cell)
        tally.start(self._clock())
        return tally

    def advance(self, progress: BlockProgress) -> CellTally:
        """Take in a block's report; the tally of its cell."""
        tally, now = self.of(progress.cell), self._clock()
        if tally.reported_at is not None:
            # Time that several cells share counts once.
            self._busy += now - max(tally.reported_at, self._counted_to)
            self._counted_to = now
        tally.advance(progress, now)
        return tally

    def finish(self, plan_hash: str) -> CellTally:
        """A cell has its record."""
        tally = self._cells[plan_hash]
        tally.finish()
        return tally

    def fail(self, cell: Cell) -> CellTally:
        """A cell is given up: nothing is left of it, and it is not finished."""
        tally = self.of(cell)
        tally.failed = True
        tally.finish()
        return tally

    @property
    def cells(self) -> list[CellTally]:
        """All cells, in the order of the plan."""
        return list(self._cells.values())

    @property
    def under_way(self) -> list[CellTally]:
        """Those that have started and not finished."""
        return [cell for cell in self.cells if cell.under_way]

    @property
    def finished(self) -> int:
        """How many cells are."""
        return sum(cell.finished and not cell.failed for cell in self.cells)

    @property
    def over(self) -> bool:
        """Whether every cell is finished, or was given up."""
        return all(cell.finished for cell in self.cells)

    @property
    def left(self) -> int:
        """The most steps that are left, over the replicas of all cells."""
        return sum(cell.left for cell in self.cells)

    @property
    def share(self) -> float:
        """How much of all FLOPs is done, 0 to 1; finished cells count what they took."""
        done = sum(self._flops[cell.number] * cell.done for cell in self.cells)
        left = sum(self._flops[cell.number] * cell.left for cell in self.cells)
        return done / (done + left) if done + left else 1.0

    @property
    def seconds_left(self) -> float | None:
        """The most that is left at this pace for all cells; None before there is one."""
        own = {cell.number: cell.seconds_left for cell in self.under_way}
        known = [seconds for seconds in own.values() if seconds is not None]
        waiting = [cell for cell in self.cells if cell.left and own.get(cell.number) is None]
        ahead = self._seconds(waiting) if waiting else 0.0
        return None if ahead is None else max(known, default=0.0) + ahead

    def _seconds(self, waiting: Sequence[CellTally]) -> float | None:
        """The most that cells take of which no pace is known; None where none is of any."""
        begun = [cell for cell in self.cells if cell.step_seconds]
        if not begun:
            return None
        busy = flops = seconds = 0.0
        for cell in begun:
            steps, took = cell.measured
            # As it would have been at the best pace of each.
            busy += steps * (cell.step_seconds or 0.0)
            flops += steps * self._flops[cell.number]
            seconds += took
        # Cells and blocks that were under way together share the time.
        alone = min(self._busy / seconds, 1.0)
        cost = fmean(cell.evaluation_cost for cell in begun)
        work = sum(self._flops[cell.number] * cell.steps_ahead(cost) for cell in waiting)
        setup = fmean(cell.setup for cell in begun) * len(waiting)
        return (work * busy / flops + setup) * alone

    def distinction(self, tally: CellTally) -> str:
        """What tells a cell from others with its model and task, if there are any."""
        if self._distinctions is None:
            self._distinctions = distinctions([cell.cell for cell in self.cells])
        return self._distinctions[tally.number - 1]

    def name(self, tally: CellTally, width: int | None = None) -> str:
        """What a cell is called beside the others, in so many characters."""
        if self._names is None or self._names[0] != width:
            self._names = width, cell_names([cell.cell for cell in self.cells], width)
        return self._names[1][tally.number - 1]
