"""One cell from start to record: resume, choose the block size, train, write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import torch
from filelock import FileLock, Timeout

from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.way import Execution, Way
from synthbench.engine.inspection.cell import CellFacts
from synthbench.engine.training.block import NARROWEST, Block
from synthbench.engine.training.block_training import train_block
from synthbench.engine.training.cell_functions import CellFunctions, stacked_functions
from synthbench.errors import ModelError, OutputError
from synthbench.evaluation.cell_tracking import CellTracking
from synthbench.evaluation.kept_weights import NO_WEIGHTS, KeptWeights
from synthbench.evaluation.partial_run import PartialRun, remove_partial
from synthbench.evaluation.picture import try_picture
from synthbench.evaluation.progress_relay import ProgressRelay
from synthbench.evaluation.record_writing import Provenance, describe_environment, write_record
from synthbench.evaluation.resumption import Resumption
from synthbench.evaluation.settings import Settings
from synthbench.evaluation.standing import NO_FOUNDATION, Foundation
from synthbench.evaluation.way_choice import choose_way
from synthbench.listeners.listener import Listener, Silent
from synthbench.listeners.tracker import Tracker
from synthbench.plan.cell import Cell
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records import Record
from synthbench.records.atomic import make_folder
from synthbench.registry.participants import participants
from synthbench.registry.registry import installed
from synthbench.results.figures import PICTURE_FILE
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.results import CellResult

FASTER = "which is faster here than a stack"


@dataclass(frozen=True)
class CellRun:
    """One planned cell, ready to run into its folder.

    kept: the weights that have to be there in the end. foundation: those of other cells.
    """

    cell: Cell
    facts: CellFacts
    device: torch.device
    folder: Path
    settings: Settings
    suite: SuiteReference | None
    kept: KeptWeights = NO_WEIGHTS
    foundation: Foundation = NO_FOUNDATION

    def run(self) -> CellResult:
        """The finished cell: read from the folder if it is there, trained otherwise."""
        make_folder(self.folder)
        with self._tracking.following(self.cell, self.suite, self.folder), _locked(self.folder):
            finished = self._resumption.finished_record()
            reused = finished is not None
            record = self._train() if finished is None else finished
            # After the record: a run that was killed in between still owes these two.
            remove_partial(self.folder)
            if not (reused and (self.folder / PICTURE_FILE).exists()):
                try_picture([MeasuredCell(record, self.folder)], self.folder, self._listener)
        self._listener.cell_finished(record, reused)
        self._tracking.finish(record, self.folder, reused)
        return CellResult(MeasuredCell(record, self.folder), reused)

    @cached_property
    def _listener(self) -> Listener:
        return self.settings.listener or Silent()

    @cached_property
    def _trackers(self) -> list[Tracker]:
        return [installed().tracker(tracker) for tracker in self.settings.trackers]

    @cached_property
    def _tracking(self) -> CellTracking:
        return CellTracking(self._trackers, self._listener)

    @cached_property
    def _resumption(self) -> Resumption:
        hashes = self.foundation.hashes
        return Resumption(
            self.cell, self.folder, self.settings, self._listener, self.kept, hashes
        ).keeping_what_was_kept()

    @cached_property
    def _stacked(self) -> CellFunctions:
        """What stacks compute; kept, because blocks of one width share its traces."""
        return stacked_functions(self.cell, self.facts.ways.right[0])

    @cached_property
    def _untaught(self) -> CellFunctions:
        """For measuring, where no teacher is at hand."""
        if self.cell.teacher is None:
            return self._stacked
        return stacked_functions(replace(self.cell, teacher=None), self.facts.ways.right[0])

    def _train(self) -> Record:
        self._listener.cell_started(self.cell)
        plugins = participants(self.cell, self._trackers, self.suite)
        environment = describe_environment(self.device, plugins, self.cell.task.libraries)
        partial = self._resumption.open_partial(environment, self._choose)
        self._note_way(partial.way)
        while (block := partial.next_block(self.cell.replica_seeds())) is not None:
            partial = self._train_block(partial, block)
        narrowest = 1 if partial.way is Way.PLAIN else NARROWEST
        widest, hashes = max(partial.widest, narrowest), self.foundation.hashes
        looped = self._loop_reason(partial.way)
        provenance = Provenance(environment, self.suite, widest, hashes, partial.way, looped)
        return write_record(self.folder, self.cell, partial.finished(), self.facts, provenance)

    def _note_way(self, way: Way) -> None:
        """Say what is not stacked, and why."""
        reason = self._loop_reason(way)
        if reason:
            self._listener.note(
                f'replicas of "{self.cell.model.label()}" are trained one after the other, each '
                f"at the price of a plain loop ({reason})"
            )
        elif way is Way.STACKED:
            self._listener.note(
                f'the step of "{self.cell.model.label()}" is called anew each time, which costs '
                f"more than one that is recorded ({self.facts.ways.reasons[Way.TRACED]})"
            )
        needs = self.facts.optimizer
        if needs is None or self.device.type != "cpu":
            return
        if needs.loop_reason and not needs.own_gradients:
            self._listener.note(
                f'the optimizer of "{self.cell.model.label()}" is stepped one replica at a time '
                f"({needs.loop_reason})"
            )
        if not needs.resumes:
            self._listener.note(
                f'the optimizer of "{self.cell.model.label()}" keeps what no checkpoint holds, so '
                "an interrupted block begins again"
            )

    def _loop_reason(self, way: Way) -> str | None:
        """Why replicas are not stacked, if they are not."""
        return (self.facts.ways.loop_reason or FASTER) if way is Way.PLAIN else None

    def _choose(self) -> tuple[Way, int]:
        """The way to train, and how many replicas a block holds."""
        wanted = self.settings.replicas_per_block
        return choose_way(self.cell, self.facts, self.device, wanted, self._untaught)

    def _train_block(self, partial: PartialRun, block: Block) -> PartialRun:
        """The run with the block finished or, where memory ends, with narrower blocks to come."""
        trainer, relay = self.settings.trainer, ProgressRelay(self._listener, block)
        options = replace(
            trainer,
            callbacks=(*trainer.callbacks, relay),
            logger=self._tracking.loggers(trainer.logger),
        )
        checkpoint = partial.checkpoint(block)
        self._resumption.drop_damaged(checkpoint)
        try:
            weighted = self._with_weights(block)
            execution = Execution(partial.way, self.facts.ways.draws)
            functions = None if partial.way is Way.PLAIN else self._stacked
            result = train_block(self.cell, weighted, options, execution, checkpoint, functions)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return self._narrower(partial, block)
        partial.add(block, result)
        return partial

    def _with_weights(self, block: Block) -> Block:
        """The block with the weights that go into it, and the word on those to be kept."""
        inherited = self.foundation.inherited.rows(block.rows())
        return replace(block, inherited=inherited, kept_steps=self._resumption.kept.steps)

    def _narrower(self, partial: PartialRun, block: Block) -> PartialRun:
        if block.width <= NARROWEST:
            raise ModelError(
                f'two replicas of "{self.cell.model.label()}" do not fit into memory; '
                "take a smaller model or batch_size"
            )
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        widest = block.width // 2
        self._listener.note(f"out of memory: continuing with {widest} replicas at once")
        return partial.with_widest(widest)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise OutputError(
            f"{folder} is in use by another evaluation; wait for it or choose another --out"
        ) from None
