"""What an evaluation has yet to do: stacks of cells, of which some wait for others."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from synthbench.errors import SynthbenchError
from synthbench.evaluation.cell_run import CellRun
from synthbench.evaluation.failures import SourceFailedError, reason
from synthbench.evaluation.preparation import PreparedCell
from synthbench.listeners.listener import Listener
from synthbench.plan.cell import Cell
from synthbench.plan.grouping import groups
from synthbench.results.results import CellResult

POLL_SECONDS = 0.5
"""How often folders are looked at in which another evaluation is at work."""

Open: TypeAlias = Callable[[PreparedCell, Mapping[str, CellResult]], CellRun]
"""Makes a run of a cell, given all that are finished, by the hashes of their plans."""


class Agenda:
    """Says which cells may be opened next, and keeps those that are finished.

    A cell comes after those that it stands on. One in whose folder another evaluation is at work
    is postponed, and comes up again after everything else that can be done. What fails together
    is tried again one by one; a cell that fails alone is given up, with those that stand on it.
    """

    def __init__(self, prepared: Sequence[PreparedCell], open_: Open, listener: Listener) -> None:
        """prepared: in an order in which they may run one after the other."""
        self.finished: dict[str, CellResult] = {}
        self.failed: dict[str, Exception] = {}
        """Of cells that were given up, by the hashes of their plans."""
        self._prepared = {each.cell.plan_hash(): each for each in prepared}
        places = groups([each.likeness for each in prepared])
        self._waiting = [[prepared[place] for place in own] for own in places]
        self._alone: list[PreparedCell] = []
        self._opening: list[list[CellRun]] = []
        self._busy: list[CellRun] = []
        self._told: set[str] = set()
        self._open, self._listener = open_, listener
        self._looked = time.monotonic()

    @property
    def done(self) -> bool:
        """Whether every cell is finished, given up, or open."""
        return not (self._waiting or self._alone or self._opening or self._busy)

    @property
    def stacks(self) -> int:
        """About how many are yet to be opened."""
        return len(self._waiting)

    @property
    def is_waiting(self) -> bool:
        """Whether another evaluation has a cell."""
        return bool(self._busy)

    def next(self) -> list[CellRun] | None:
        """Cells to be trained in one stack; None where none may be opened now."""
        if not self._opening and (ready := self._ready()) is not None:
            self._waiting.remove(ready)
            self._opening = _stackable(self._runs(ready))
        if not self._opening and self._alone:
            self._opening = _stackable(self._runs([self._alone.pop(0)]))
        if not self._opening and self._busy and self._is_time():
            self._opening, self._busy = [[run] for run in self._busy], []
        return self._opening.pop(0) if self._opening else None

    def postpone(self, busy: Iterable[CellRun]) -> None:
        """Put off cells that another evaluation has."""
        self._busy += busy

    def finish(self, results: Mapping[str, CellResult]) -> None:
        """Keep finished cells, on which others may stand, by the hashes of their plans."""
        self.finished |= results

    def set_aside(self, runs: Sequence[CellRun], error: Exception) -> None:
        """Go on without cells that failed together: each is tried again alone, and one is given up.

        What they have finished together lies in their folders, and is not trained again.
        """
        names = [run.cell.plan_hash() for run in runs]
        if len(names) > 1:
            self._alone += [self._prepared[name] for name in names]
        else:
            self._give_up(names[0], error)

    def say_who_is_waited_for(self) -> None:
        """Tell the listener once of every cell that another evaluation has."""
        new = [run for run in self._busy if run.cell.plan_hash() not in self._told]
        if not new:
            return
        self._told |= {run.cell.plan_hash() for run in new}
        first = new[0].cell
        others = f" and {len(new) - 1} more" if len(new) > 1 else ""
        self._listener.note(
            f'waiting for another evaluation, which has "{first.label()}" on '
            f'"{first.task.label()}"{others}'
        )

    def _ready(self) -> list[PreparedCell] | None:
        for group in self._waiting:
            if all(name in self.finished for each in group for name in _below(each.cell)):
                return group
        return None

    def _runs(self, prepared: Sequence[PreparedCell]) -> list[CellRun]:
        """Runs of cells, without those whose sources cannot be read."""
        runs = []
        for each in prepared:
            try:
                runs.append(self._run(each))
            except SynthbenchError as error:
                self._give_up(each.cell.plan_hash(), error)
        return runs

    def _give_up(self, name: str, error: Exception) -> None:
        cell = self._prepared[name].cell
        self.failed[name] = error
        if len(self._prepared) > 1:
            self._listener.cell_failed(cell, reason(error))
        standing = [each for own in self._waiting for each in own if name in _below(each.cell)]
        waiting = ([e for e in own if name not in _below(e.cell)] for own in self._waiting)
        self._waiting = [own for own in waiting if own]
        for each in standing:
            self._give_up(each.cell.plan_hash(), SourceFailedError(cell, error))

    def _run(self, prepared: PreparedCell) -> CellRun:
        if not prepared.asked:
            label = prepared.cell.label()
            self._listener.note(f'first "{label}", on whose weights others stand')
        return self._open(prepared, self.finished)

    def _is_time(self) -> bool:
        if time.monotonic() - self._looked < POLL_SECONDS:
            return False
        self._looked = time.monotonic()
        return True


def sources_first(prepared: Sequence[PreparedCell]) -> list[PreparedCell]:
    """The same cells, those on which others stand before all that stand on none."""
    needed = {name for each in prepared for name in _below(each.cell)}
    return sorted(prepared, key=lambda each: each.cell.plan_hash() not in needed)


def _below(cell: Cell) -> list[str]:
    """The hashes of the cells that a cell stands on, without those in folders of their own."""
    return [s.cell.plan_hash() for s in cell.sources().values() if s.folder is None]


def _stackable(runs: list[CellRun]) -> list[list[CellRun]]:
    """Cells that are alike, apart where somebody watches each of them."""
    if any(run.trains_alone for run in runs):
        return [[run] for run in runs]
    # On other samples a stack may be found to be wrong.
    return [[runs[place] for place in own] for own in groups([r.facts.ways.right for r in runs])]
