"""What an evaluation tells whoever is watching."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthbench.plan.cell import Cell
    from synthbench.records import Record


@dataclass(frozen=True)
class PlannedCell:
    """A cell that will be evaluated, and the work in it.

    step_flops: of one optimizer step of one replica; 0 where they are unknown. finished: how many
    replicas lie there already.
    """

    cell: Cell
    step_flops: int
    finished: int = 0


@dataclass(frozen=True)
class BlockProgress:
    """Where a block of a cell stands: its steps, and how many of its replicas run or have solved.

    earlier: replicas of the cell that come before the block; replicas: those in it.
    """

    cell: Cell
    earlier: int
    replicas: int
    steps: int
    solved: int
    running: int


class Listener(ABC):
    """Hears about an evaluation while it runs.

    Several cells may be under way at the same time: every event says of which it is.
    """

    def evaluation_planned(self, planned: Sequence[PlannedCell]) -> None:  # noqa: B027 - optional
        """All cells of the evaluation, in their order, before the first one starts."""

    @abstractmethod
    def note(self, message: str) -> None:
        """Something a person should know: a fallback, a retry, a discarded partial run."""

    @abstractmethod
    def cell_started(self, cell: Cell) -> None:
        """A cell begins to train, or to continue."""

    @abstractmethod
    def block_advanced(self, progress: BlockProgress) -> None:
        """A chunk of steps, or an evaluation, is done."""

    @abstractmethod
    def cell_finished(self, record: Record, reused: bool) -> None:
        """A cell's record exists; `reused` when it was there before."""

    def cell_failed(self, cell: Cell, reason: str) -> None:
        """A cell is given up, and others go on; where that is no event of its own, it is a note."""
        self.note(f'"{cell.label()}" on "{cell.task.label()}" failed: {reason}')


class Silent(Listener):
    """Hears and says nothing: `Settings(listener=Silent())`."""

    def note(self, message: str) -> None:
        """Ignore."""

    def cell_started(self, cell: Cell) -> None:
        """Ignore."""

    def block_advanced(self, progress: BlockProgress) -> None:
        """Ignore."""

    def cell_finished(self, record: Record, reused: bool) -> None:
        """Ignore."""
