"""The launcher of this machine's processes. Every command loads this; nothing is started yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from synthbench import Launcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from synthbench_local.crew import LocalCrew


class LocalLauncher(Launcher):
    """Processes of this machine, with one thread each.

    They see what this process sees: its files, its environment, its import path. On a machine with
    several GPUs each worker has one of them in turn.
    """

    name: ClassVar[str] = "local"
    headline: ClassVar[tuple[str, ...]] = ("workers",)

    workers: int = Field(default=2, ge=1)
    """How many processes."""

    def open(self, hear: Callable[[Any], None]) -> LocalCrew:
        """Start them; returns while they import torch."""
        from synthbench_local.crew import LocalCrew

        return LocalCrew(self.workers, hear)
