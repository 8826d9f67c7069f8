"""The contract of a launcher: where the blocks of an evaluation are trained."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, ClassVar, Self, TypeAlias

from synthbench.contracts.configuration import Configuration

Hear: TypeAlias = Callable[[Any], None]
"""Takes what a running job says; may be called from any thread."""
Job: TypeAlias = Callable[[Hear], Any]
"""Work for another process: called there with a way to say how far it is, it returns its result.

`cloudpickle` can send it, what it says and what it returns."""


class WorkerLost(Exception):
    """Whoever ran a job is gone; the same job may be submitted again."""


class Crew(ABC):
    """The workers that a launcher has opened, until `close`.

    The evaluation writes all results itself; a worker writes only the checkpoint of its block.
    """

    @property
    @abstractmethod
    def slots(self) -> int:
        """How many jobs run at the same time; it may change while a cluster does."""

    @property
    def room(self) -> int:
        """How many jobs may have been submitted at once, so that no worker waits for the next."""
        return 2 * self.slots

    @abstractmethod
    def submit(self, job: Job) -> Future[Any]:
        """Hand over a job; does not wait.

        The future has what the job returned or raised, or `WorkerLost`.
        """

    @abstractmethod
    def close(self) -> None:
        """End every worker, in the middle of a job too. Called once, also after an interruption."""

    def __enter__(self) -> Self:
        """The crew itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close it."""
        self.close()


class Launcher(Configuration, ABC):
    """Opens workers: processes of this machine, tasks of a cluster.

    Its fields say where. Registered with `register_launchers`, chosen with
    `synthbench eval ... --launcher 'name field=value'`.
    """

    elsewhere: ClassVar[bool] = False
    """Whether workers may be on other machines, with other software or devices."""

    checkpoints: str | None = None
    """Folder for the checkpoints of unfinished blocks, which all workers and this machine share.
    Default: those of the results, where a worker reaches them."""

    def check(self) -> None:
        """Raise a SynthbenchError if no worker could be opened; called before anything trains."""

    @abstractmethod
    def open(self, hear: Hear) -> Crew:
        """Open the workers; hear: takes what running jobs say. May return before they are ready."""
