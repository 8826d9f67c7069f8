"""One cell from its folder to its record; what trains it is a `StackTraining`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from filelock import FileLock, Timeout

from synthbench.engine.inspection.cell import CellFacts
from synthbench.errors import FolderInUseError, OutputError, first_line
from synthbench.evaluation.cell_tracking import CellTracking
from synthbench.evaluation.kept_weights import NO_WEIGHTS, KeptWeights
from synthbench.evaluation.machine import Machine
from synthbench.evaluation.partial_run import FOLDER as PARTIAL
from synthbench.evaluation.partial_run import PartialRun, remove_partial, remove_spent_partial
from synthbench.evaluation.picture import try_picture
from synthbench.evaluation.resumption import Resumption
from synthbench.evaluation.settings import Settings
from synthbench.evaluation.standing import NO_FOUNDATION, Foundation
from synthbench.evaluation.taking_over import TakenOver, choice_of
from synthbench.evaluation.training_choice import TrainingChoice
from synthbench.listeners.listener import Listener, Silent
from synthbench.listeners.tracker import Tracker
from synthbench.plan.cell import Cell
from synthbench.plan.growth import seedless_hash
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records import Record
from synthbench.records.atomic import make_folder, remove_unfinished
from synthbench.records.schema import Environment
from synthbench.registry.participants import participants
from synthbench.registry.registry import installed
from synthbench.results.figures import PICTURE_FILE
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.results import CellResult

LOCK = ".lock"


@dataclass(frozen=True)
class CellRun:
    """One planned cell, ready to run into its folder.

    kept: the weights that have to be there in the end. foundation: those of other cells.
    relatives: folders of cells whose replicas may be replicas of this one.
    """

    cell: Cell
    facts: CellFacts
    machine: Machine
    folder: Path
    settings: Settings
    suite: SuiteReference | None
    kept: KeptWeights = NO_WEIGHTS
    foundation: Foundation = NO_FOUNDATION
    relatives: tuple[Path, ...] = ()

    @contextmanager
    def opened(self) -> Iterator[None]:
        """The folder is there and nobody else's inside, and trackers follow.

        Raises FolderInUseError where another evaluation is at work in it, and OutputError where
        the folder cannot be written or locked.
        """
        make_folder(self.folder)
        with _locked(self.folder), self.followed():
            # A killed evaluation may have left them, and nobody else writes here now.
            remove_unfinished(self.folder, alone=True)
            remove_unfinished(self.folder / PARTIAL, alone=True)
            yield

    def followed(self) -> AbstractContextManager[None]:
        """Trackers follow, and the folder is anybody's: for a finished cell, which is read."""
        return self.tracking.following(self.cell, self.suite, self.folder)

    def begun(self) -> PartialRun | None:
        """What is unfinished in its folder or, where every replica is kept, a run of those."""
        found = self.resumption.unfinished_run(self.environment)
        if found is None and self.replicas_to_train == 0:
            return self.begin(choice_of(self._taken_over.finished[0].record))
        return found

    def begin(self, choice: TrainingChoice) -> PartialRun:
        """A new run in its folder, with the replicas that are kept; choice: how it is trained."""
        for begun in self._taken_over.begun:
            who = (
                "a replica goes" if len(begun.numbers) == 1 else f"{len(begun.numbers)} replicas go"
            )
            self.listener.note(
                f"{self.cell.label()}: {who} on from step {begun.step}, where the budget ended"
            )
        return self.resumption.begin_run(self.environment, choice, self._taken_over)

    @property
    def keeps_state(self) -> bool:
        """Whether a larger budget is to go on where this one ends.

        Not from weights at earlier evaluations, which would not be there of what goes on.
        """
        weights = self.resumption.kept
        return not weights.steps and (self.settings.keep_state or weights.last)

    @property
    def replicas_to_train(self) -> int:
        """How many a new run lacks."""
        return self.cell.protocol.seeds - self._taken_over.finished_replicas

    @cached_property
    def _taken_over(self) -> TakenOver:
        return self.resumption.taken_over(self.environment)

    def complete(self, record: Record, reused: bool) -> None:
        """What a finished cell still owes, one too that was killed after its record."""
        if reused:
            remove_spent_partial(self.folder, seedless_hash(record.plan), len(record.replicas))
        else:
            remove_partial(self.folder)
        drawn = reused and (self.folder / PICTURE_FILE).exists()
        if self.settings.pictures and not drawn:
            try_picture([MeasuredCell(record, self.folder)], self.folder, self.listener)

    def announce(self, record: Record, reused: bool) -> CellResult:
        """Tell everybody of the record."""
        self.listener.cell_finished(record, reused)
        self.tracking.finish(record, self.folder, reused)
        installed().host.announce("cell_finished", record=record)
        return CellResult(MeasuredCell(record, self.folder), reused)

    @cached_property
    def listener(self) -> Listener:
        """Who hears of it."""
        return self.settings.listener or Silent()

    @cached_property
    def trackers(self) -> list[Tracker]:
        """Where its training is sent."""
        return [installed().tracker(tracker) for tracker in self.settings.trackers]

    @cached_property
    def tracking(self) -> CellTracking:
        """Its trackers, while they follow it."""
        return CellTracking(self.trackers, self.listener)

    @cached_property
    def resumption(self) -> Resumption:
        """What of the folder may be used."""
        hashes = self.foundation.hashes
        return Resumption(
            self.cell,
            self.folder,
            self.settings,
            self.listener,
            self.kept,
            hashes,
            self.relatives,
        ).keeping_what_was_kept()

    @cached_property
    def environment(self) -> Environment:
        """Machine and software."""
        plugins = participants(self.cell, self.trackers, self.suite)
        return self.machine.described(plugins, self.cell.task.libraries)

    @property
    def trains_alone(self) -> bool:
        """Whether somebody watches the training of this very cell, or keeps what it stands on."""
        options = self.settings.trainer
        watched = bool(self.settings.trackers or options.callbacks or options.logger)
        return watched or bool(self.kept.steps) or bool(self.foundation.hashes)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    lock = FileLock(folder / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise FolderInUseError(f"{folder} is in use by another evaluation") from None
    # Another user's lock file, or a file system that knows no locks.
    except (OSError, NotImplementedError) as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise OutputError(
            f"cannot lock {folder / LOCK}: {reason}; delete that file if it is another user's and "
            "nobody evaluates there, or take another folder"
        ) from None
    try:
        yield
    finally:
        lock.release()
