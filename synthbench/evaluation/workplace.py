"""Where the jobs of an evaluation are done: by workers, or in this process."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self, cast

import torch

from synthbench.contracts.launcher import Crew, Hear, Job, Launcher
from synthbench.evaluation.agenda import Agenda, sources_first
from synthbench.evaluation.course import Course, Inbox
from synthbench.evaluation.jobs import Describing
from synthbench.evaluation.machine import Machine, check_same_software
from synthbench.evaluation.preparation import PreparedCell
from synthbench.evaluation.settings import Settings
from synthbench.evaluation.terms import Terms, parts_of_stacks
from synthbench.evaluation.workforce import named_launcher, worthwhile_launcher
from synthbench.isolation.threads import threads
from synthbench.listeners.listener import Listener
from synthbench.plan.cell import Cell
from synthbench.registry.participants import code_versions


class InThisProcess(Crew):
    """No workers: a job is done while it is submitted, and heard at once."""

    def __init__(self, hear: Hear) -> None:
        self._hear = hear

    @property
    def slots(self) -> int:
        """One."""
        return 1

    @property
    def room(self) -> int:
        """One: whoever submits waits."""
        return 1

    def submit(self, job: Job) -> Future[Any]:
        """Do it."""
        done: Future[Any] = Future()
        try:
            done.set_result(job(self._hear))
        except Exception as error:
            done.set_exception(error)
        return done

    def close(self) -> None:
        """Nothing is open."""


class Workplace:
    """The workers that settings ask for, or that are worth their start; none where there are none.

    A context: workers that settings name start when it is entered, while cells are checked.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._inbox: Inbox = SimpleQueue()
        self._opened = ExitStack()
        self._launcher: Launcher | None = None
        self._crew: Crew | None = None

    def __enter__(self) -> Self:
        """Open the workers that are named."""
        self._open(named_launcher(self._settings))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End them."""
        self._opened.__exit__(kind, error, traceback)

    def machine_elsewhere(self, cells: Sequence[Cell]) -> Machine | None:
        """That of a worker, where workers may be on other machines; None where they are here.

        Raises LaunchError where it has other software than this one.
        """
        if self._crew is None or self._launcher is None or not self._launcher.elsewhere:
            return None
        job = Describing(self._settings.trainer.accelerator, tuple(cells))
        machine, codes = self._crew.submit(job).result()
        check_same_software(machine.environment, codes, [code_versions(cell) for cell in cells])
        return cast("Machine", machine)

    def open_if_worthwhile(
        self, prepared: Sequence[PreparedCell], earlier: Sequence[int], device: torch.device
    ) -> None:
        """Open workers for what is to be done, where settings leave that open and it pays.

        earlier: how many replicas of each cell are finished.
        """
        if self._crew is None:
            self._open(worthwhile_launcher(self._settings, prepared, earlier, device))

    def in_order(self, prepared: Sequence[PreparedCell]) -> Sequence[PreparedCell]:
        """In which cells are best begun: with workers, those on which others stand come first."""
        return prepared if self._crew is None else sources_first(prepared)

    def work_off(self, agenda: Agenda, listener: Listener) -> None:
        """Finish every cell."""
        with threads(1) as available, Course(agenda, self._inbox, listener) as course:
            crew = self._crew or InThisProcess(course.hear)
            course.run(crew, self._terms(available, agenda.stacks))

    def _open(self, launcher: Launcher | None) -> None:
        if launcher is not None:
            self._launcher = launcher
            self._crew = self._opened.enter_context(launcher.open(self._inbox.put))

    def _terms(self, available: int, stacks: int) -> Terms:
        if self._launcher is None or self._crew is None:
            return Terms(remote=False, available=available, parts=1)
        shared = self._launcher.checkpoints
        return Terms(
            remote=True,
            available=1,
            parts=parts_of_stacks(self._crew.slots, stacks),
            checkpoints=None if shared is None else Path(shared).expanduser().absolute(),
        )
