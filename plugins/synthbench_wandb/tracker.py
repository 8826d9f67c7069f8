"""The W&B tracker: where runs and reports go. Every command loads this; wandb waits for use."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator

from synthbench import BoardReporter, Tracker

if TYPE_CHECKING:
    from synthbench import Board, Cell, SuiteReference
    from synthbench_wandb.tracked_run import TrackedRun

OFFLINE = ", or set WANDB_MODE=offline to write runs beside the results"
PROJECT = re.compile(r"([A-Za-z0-9._-]+/)?[^/\\#?%:\s][^/\\#?%:\n]{0,127}")


def _project(text: str) -> str:
    if not PROJECT.fullmatch(text):
        raise ValueError("must be PROJECT or ENTITY/PROJECT, without any of \\ # ? % :")
    return text


class WandbTracker(Tracker, BoardReporter):
    """Weights & Biases: one run per cell, and leaderboard reports.

    Credentials come from `wandb login` or WANDB_API_KEY. With WANDB_MODE=offline runs are
    written beside the results and `wandb sync` uploads them later.
    """

    name: ClassVar[str] = "wandb"
    headline: ClassVar[tuple[str, ...]] = ("project",)

    project: Annotated[str, AfterValidator(_project)] = "synthbench"
    """Project, or entity/project; the default entity otherwise."""

    @property
    def place(self) -> tuple[str | None, str]:
        """Entity, if one is named, and project."""
        entity, _, project = self.project.rpartition("/")
        return entity or None, project

    def ready(self) -> None:
        """Raise WandbError where nobody is logged in and W&B is not offline."""
        from synthbench_wandb.session import is_offline, require_account

        if not is_offline():
            require_account(OFFLINE)

    def check(self) -> None:
        """Raise WandbError unless runs can be uploaded, or W&B is offline."""
        from synthbench_wandb.session import is_offline, require_credentials

        if not is_offline():
            require_credentials(OFFLINE)

    def closing_note(self, out: Path) -> str | None:
        """How runs that were written offline are uploaded."""
        from synthbench_wandb.session import sync_command

        command = sync_command(out)
        return None if command is None else f"W&B was offline; to upload its runs: {command}"

    def follow(self, cell: Cell, suite: SuiteReference | None, folder: Path) -> TrackedRun:
        """The run of one cell; nothing is opened yet."""
        from synthbench_wandb.tracked_run import TrackedRun

        return TrackedRun(self.place, cell, suite, folder)

    def report(self, boards: Sequence[Board], title: str, site: str | None) -> dict[str, Any]:
        """The report's specification, as W&B stores it."""
        from synthbench_wandb.report import build_report, specification

        return specification(build_report(*self._named_place(), title, boards, site))

    def publish(self, boards: Sequence[Board], title: str, site: str | None) -> str:
        """Create the report, or update the one of that title; its address."""
        from synthbench_wandb.publishing import publish_report
        from synthbench_wandb.report import build_report
        from synthbench_wandb.session import require_credentials

        entity, project = self._named_place()
        require_credentials()
        return publish_report(build_report(entity, project, title, boards, site))

    def _named_place(self) -> tuple[str, str]:
        from synthbench_wandb.session import WandbError

        entity, project = self.place
        if entity is None:
            raise WandbError(f"say whose project it is: ENTITY/{project}")
        return entity, project
