"""What an evaluation tells whoever is watching."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from synthbench.plan.cell import Cell
    from synthbench.records import Record


@dataclass(frozen=True)
class BlockProgress:
    """Where a block stands: replicas before and in it, steps, solved and running replicas."""

    earlier: int
    replicas: int
    steps: int
    solved: int
    running: int


class Listener(ABC):
    """Hears about an evaluation while it runs."""

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


class Silent(Listener):
    """Hears and says nothing."""

    def note(self, message: str) -> None:
        """Ignore."""

    def cell_started(self, cell: Cell) -> None:
        """Ignore."""

    def block_advanced(self, progress: BlockProgress) -> None:
        """Ignore."""

    def cell_finished(self, record: Record, reused: bool) -> None:
        """Ignore."""
