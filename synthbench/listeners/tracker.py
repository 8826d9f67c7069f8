"""The contract of a tracker: where results are sent while and after they are measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING

from synthbench.contracts.configuration import Configuration

if TYPE_CHECKING:
    from pytorch_lightning.loggers import Logger

    from synthbench.plan.cell import Cell
    from synthbench.plan.suite_reference import SuiteReference
    from synthbench.records.schema import Record


class TrackedCell(ABC):
    """One cell as a tracker sees it: opened before it trains, then finished or abandoned.

    Anything a method raises becomes one line of warning: it never costs a result.
    """

    def logger(self) -> Logger | None:
        """A Lightning logger for the training; asked for once, and only if the cell trains."""
        return None

    @abstractmethod
    def finish(self, record: Record, folder: Path, reused: bool) -> None:
        """The cell's record and its files lie in `folder`; `reused` when they were there before."""

    def abandon(self) -> None:  # noqa: B027 - most trackers have nothing to close
        """Training was interrupted or failed; the same command may continue it later."""


class Tracker(Configuration, ABC):
    """Sends results somewhere: to W&B, to a data base, to a colleague.

    Its fields say where. Registered with `register_trackers`, chosen with
    `synthbench eval ... --tracker 'name field=value'`.
    """

    def ready(self) -> None:
        """Raise a SynthbenchError if it is plain that nothing could be sent.

        Called before anything else, torch's import among it, so it waits for no network.
        """

    def check(self) -> None:
        """Raise a SynthbenchError if nothing could be sent; called before anything trains."""

    @abstractmethod
    def follow(self, cell: Cell, suite: SuiteReference | None, folder: Path) -> TrackedCell:
        """A cell is about to be trained, or read, into `folder`; costs nothing yet."""

    def closing_note(self, out: Path) -> str | None:
        """What is left to do after an evaluation into `out`, as one line; None for nothing."""
        return None
