"""One cell and its trackers: what fails there is a line of warning, never a lost result."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pytorch_lightning.loggers import CSVLogger, Logger

from synthbench.engine.training.block_training import Loggers
from synthbench.listeners.listener import Listener
from synthbench.listeners.tracker import TrackedCell, Tracker
from synthbench.plan.cell import Cell
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records.schema import Record

T = TypeVar("T")


class CellTracking:
    """The trackers that follow one cell, beside the loggers the caller gave to Lightning."""

    def __init__(self, trackers: Sequence[Tracker], listener: Listener) -> None:
        self._trackers = trackers
        self._listener = listener
        self._followed: list[tuple[Tracker, TrackedCell]] = []
        self._added: list[Logger] | None = None
        self._folder = Path()

    @contextmanager
    def following(self, cell: Cell, suite: SuiteReference | None, folder: Path) -> Iterator[None]:
        """Tell every tracker of the cell and, where the context raises, that it has no result."""
        self._folder = folder
        for tracker in self._trackers:
            followed = self._attempt(tracker, partial(tracker.follow, cell, suite, folder))
            if followed is not None:
                self._followed.append((tracker, followed))
        try:
            yield
        except BaseException:
            for tracker, tracked in self._followed:
                self._attempt(tracker, tracked.abandon)
            raise

    def loggers(self, own: Loggers) -> list[Logger]:
        """The caller's loggers and those of the trackers, for Lightning.

        True, by which Lightning means a logger of its choice, writes into the cell's folder.
        """
        if self._added is None:
            self._added = []
            for tracker, tracked in self._followed:
                logger = self._attempt(tracker, tracked.logger)
                if logger is not None:
                    self._added.append(GuardedLogger(logger, partial(self._attempt, tracker)))
        return [*self._listed(own), *self._added]

    def finish(self, record: Record, folder: Path, reused: bool) -> None:
        """Pass the finished cell on."""
        for tracker, tracked in self._followed:
            self._attempt(tracker, partial(tracked.finish, record, folder, reused))

    def _listed(self, own: Loggers) -> list[Logger]:
        if isinstance(own, bool):
            return [CSVLogger(self._folder)] if own else []
        return [own] if isinstance(own, Logger) else list(own)

    def _attempt(self, tracker: Tracker, action: Callable[[], T]) -> T | None:
        return _attempt(tracker, action, self._listener)


def say_what_is_left(trackers: Sequence[Tracker], out: Path, listener: Listener) -> None:
    """Pass on what a person should do after an evaluation into `out`: a line of each tracker."""
    for tracker in trackers:
        note = _attempt(tracker, partial(tracker.closing_note, out), listener)
        if note is not None:
            listener.note(note)


def _attempt(tracker: Tracker, action: Callable[[], T], listener: Listener) -> T | None:
    try:
        return action()
    except Exception as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        listener.note(f'tracker "{tracker.name}" failed, results are kept: {reason}')
        return None


class GuardedLogger(Logger):
    """A tracker's logger that falls silent, instead of ending the training, when it fails."""

    def __init__(
        self, logger: Logger, attempt: Callable[[Callable[[], bool]], bool | None]
    ) -> None:
        """attempt: runs an action and says what it raised, in place of its result."""
        super().__init__()
        self._logger = logger
        self._attempt = attempt
        self._works = True

    @property
    def name(self) -> str | None:
        """The logger's own."""
        return self._logger.name

    @property
    def version(self) -> int | str | None:
        """The logger's own."""
        return self._logger.version

    @property
    def save_dir(self) -> str | None:
        """The logger's own."""
        return self._logger.save_dir

    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        """Pass on."""
        self._guard(partial(self._logger.log_metrics, metrics, step))

    def log_hyperparams(self, params: Any, *rest: Any) -> None:  # noqa: D102 - Lightning's
        self._guard(partial(self._logger.log_hyperparams, params, *rest))

    def save(self) -> None:
        """Pass on."""
        self._guard(self._logger.save)

    def finalize(self, status: str) -> None:
        """Pass on."""
        self._guard(partial(self._logger.finalize, status))

    def _guard(self, action: Callable[[], object]) -> None:
        def act() -> bool:
            action()
            return True

        if self._works:
            self._works = self._attempt(act) is not None
