"""The contract of whatever publishes leaderboards as a report, beside the pages of the site."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from synthbench.leaderboard.standings.board import Board


class BoardReporter(ABC):
    """Makes reports of leaderboards; a `Tracker` that can is a subclass of both.

    boards: those of the report, in its order. title: a report of ours with this title is
    updated. site: address of the published leaderboard pages, to link to.
    """

    @abstractmethod
    def report(self, boards: Sequence[Board], title: str, site: str | None) -> dict[str, Any]:
        """The report as JSON values, made without an account or a network."""

    @abstractmethod
    def publish(self, boards: Sequence[Board], title: str, site: str | None) -> str:
        """Publish the report, or update the one of that title; its address."""
