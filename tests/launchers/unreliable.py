"""A crew in this process that answers late, in another order, and loses what it is told to lose."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, ClassVar

import cloudpickle
from pydantic import Field

import synthbench as sb
from synthbench.contracts.launcher import Hear, Job

Accident = Callable[[Job], Exception | None]
"""What happens to a job instead of its being done; None where nothing does."""


def nothing(_: Job) -> None:
    """All goes well."""


class Late(sb.Launcher):
    """Opens crews that remember their jobs in `given`.

    together: of how many stacks there was a job whenever one was added.
    """

    name: ClassVar[str] = "late"
    accident: Accident = nothing
    workers: int = 3
    given: list[Any] = Field(default_factory=list)
    together: list[int] = Field(default_factory=list)

    def open(self, hear: Hear) -> LateCrew:
        """Open one."""
        return LateCrew(hear, self)


@dataclass
class LateCrew(sb.Crew):
    """Does the job that came last first, once it has all that it may have or is asked again."""

    hear: Hear
    launcher: Late
    waiting: list[tuple[Job, Future[Any]]] = field(default_factory=list)
    known: int = 0
    closed: bool = False

    @property
    def slots(self) -> int:
        return self.launcher.workers

    @property
    def room(self) -> int:
        if self.waiting and self.known == len(self.waiting):
            self._do(*self.waiting.pop())
        self.known = len(self.waiting)
        return 2 * self.slots

    def submit(self, job: Job) -> Future[Any]:
        future: Future[Any] = Future()
        self.launcher.given.append(job)
        self.waiting.append((cloudpickle.loads(cloudpickle.dumps(job)), future))
        stacks = {each.stack.name for each, _ in self.waiting}
        self.launcher.together.append(len(stacks))
        return future

    def _do(self, job: Job, future: Future[Any]) -> None:
        error = self.launcher.accident(job)
        try:
            if error is not None:
                raise error
            future.set_result(cloudpickle.loads(cloudpickle.dumps(job(self.hear))))
        except Exception as raised:
            future.set_exception(raised)

    def close(self) -> None:
        assert not self.closed
        self.closed = True
