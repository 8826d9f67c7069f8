"""The contract of a tracker: where results are sent while and after they are measured."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthbench.contracts.configuration import Configuration
from synthbench.errors import ConfigurationError

if TYPE_CHECKING:
    from pytorch_lightning.loggers import Logger

    from synthbench.leaderboard import Board
    from synthbench.plan.cell import Cell
    from synthbench.records import SuiteReference
    from synthbench.results.results import CellResult


class TrackedCell(ABC):
    """One cell as a tracker sees it: opened before it trains, then finished or abandoned.

    Anything a method raises becomes one line of warning: it never costs a result.
    """

    def logger(self) -> Logger | None:
        """A Lightning logger for the training; asked for once, and only if the cell trains."""
        return None

    @abstractmethod
    def finish(self, result: CellResult) -> None:
        """The cell's record exists. `result.reused` when it was there before."""

    def abandon(self) -> None:  # noqa: B027 - most trackers have nothing to close
        """Training was interrupted or failed; the same command may continue it later."""


class Tracker(Configuration, ABC):
    """Sends results somewhere: to W&B, to a data base, to a colleague.

    Its fields say where. Registered with `register_trackers`, chosen with
    `synthbench eval ... --tracker 'name field=value'`.
    """

    def check(self) -> None:
        """Raise a SynthbenchError if nothing could be sent; called before anything trains."""

    @abstractmethod
    def follow(self, cell: Cell, suite: SuiteReference | None, folder: Path) -> TrackedCell:
        """A cell is about to be trained, or read, into `folder`; costs nothing yet."""

    def report(self, boards: Sequence[Board], title: str, site: str | None) -> dict[str, Any]:
        """The leaderboard report as JSON values, made without an account or a network.

        site: address of the published leaderboard pages, to link to.
        """
        raise ConfigurationError(f'tracker "{self.name}" does not make leaderboard reports')

    def publish(self, boards: Sequence[Board], title: str, site: str | None) -> str:
        """Publish the leaderboard report, or update the one of that title; its address."""
        raise ConfigurationError(f'tracker "{self.name}" does not publish leaderboard reports')
