"""The blocks of cells that are trained in one way: which are left, which are being trained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from pytorch_lightning.loggers import Logger

from synthbench.engine.axis.memory import does_not_fit
from synthbench.engine.axis.way import Way
from synthbench.engine.training.block import NARROWEST
from synthbench.engine.training.block_training import BlockResult, TrainerOptions
from synthbench.evaluation.begun_members import BegunMembers
from synthbench.evaluation.cell_run import CellRun
from synthbench.evaluation.jobs import Training
from synthbench.evaluation.partial_run import PartialRun
from synthbench.evaluation.record_writing import Provenance, write_record
from synthbench.evaluation.shared_block import Member, SharedBlock, split_shared
from synthbench.evaluation.stack import Stack
from synthbench.evaluation.terms import Terms
from synthbench.evaluation.training_choice import TrainingChoice
from synthbench.evaluation.way_notes import FASTER, note_way
from synthbench.records import Record
from synthbench.records.atomic import make_folder, remove_file


class BlockQueue:
    """Blocks may finish in any order; each is kept on disk as soon as it does."""

    def __init__(
        self, runs: Sequence[CellRun], partials: Sequence[PartialRun], stack: Stack, terms: Terms
    ) -> None:
        """partials: what is finished of each cell, all with one choice."""
        self.runs, self._partials = runs, list(partials)
        self._stack, self._terms = stack, terms
        self._left: set[Member] = {
            (place, number)
            for place, (run, partial) in enumerate(zip(runs, partials, strict=True))
            for number in partial.missing(run.cell.protocol.seeds)
        }
        self._begun_at = BegunMembers.of(self._partials)
        self._planned = self._begun_at.groups(self._to_train())
        self._blocks = self._split()
        self._begun, self._out = False, 0
        self._loggers: list[Logger] | None = None

    @property
    def choice(self) -> TrainingChoice:
        """How they are trained."""
        return self._partials[0].choice

    @property
    def done(self) -> bool:
        """Whether every replica is finished."""
        return not (self._left or self._out)

    @property
    def loggers(self) -> list[Logger]:
        """Those that hear of its training, the same for all blocks."""
        if self._loggers is None:
            first = self.runs[0]
            self._loggers = first.tracking.loggers(first.settings.trainer.logger)
        return self._loggers

    def next_job(self, number: int) -> Training | None:
        """Train the next block; None where there is none at present. number: the job's."""
        if self._left and not self._begun:
            self._begin()
        # What is logged of several blocks at once could not be told apart.
        waits = self._out and self._terms.remote and self.loggers
        block = None if waits else next(self._blocks, None)
        if block is None:
            return None
        self._out += 1
        self._left -= set(block.members())
        return self._training(number, block)

    def add(self, job: Training, result: BlockResult) -> None:
        """Keep what a block has measured."""
        self._out -= 1
        for place, part, own in job.block.split(result):
            self._partials[place].add(part, own)
        remove_file(job.checkpoint)

    def narrow(self, job: Training) -> int:
        """Give a block back that does not fit into memory, and split what is left in narrower ones.

        Returns how many replicas there are at once from here on; ModelError where two do not fit.
        """
        block = job.block
        if not block.can_be_narrower:
            raise does_not_fit(block.shares[0].cell.model.label())
        self._out -= 1
        self._left |= set(block.members())
        remove_file(job.checkpoint)
        widest = min(self.choice.widest, max(block.whole.width // 2, NARROWEST))
        self._partials = [partial.with_widest(widest) for partial in self._partials]
        self._blocks = self._split()
        return widest

    def records(self) -> list[Record]:
        """Write a record for each cell."""
        return [_write(*each) for each in zip(self.runs, self._partials, strict=True)]

    def _split(self) -> Iterator[SharedBlock]:
        cells = [run.cell for run in self.runs]
        return iter(split_shared(cells, self._planned, self._left, self.choice))

    def _to_train(self) -> list[Member]:
        """All replicas but those that were finished before the first block."""
        members: list[Member] = []
        for place, (run, partial) in enumerate(zip(self.runs, self._partials, strict=True)):
            done = set(partial.taken_over())
            members += [(place, r) for r in range(run.cell.protocol.seeds) if r not in done]
        return members

    def _begin(self) -> None:
        self._begun = True
        first = self.runs[0]
        note_way(first.listener, first.cell, first.facts, self.choice.way, first.machine.device)
        if len(self.runs) > 1:
            first.listener.note(
                f"{len(self.runs)} cells that differ in numbers alone are trained in one stack"
            )

    def _training(self, number: int, block: SharedBlock) -> Training:
        run, trainer, remote = self.runs[block.first], self._trainer, self._terms.remote
        checkpoint = self._checkpoint(block)
        run.resumption.drop_damaged(checkpoint)
        whole = replace(
            block.whole,
            inherited=run.foundation.inherited.rows(block.whole.rows()),
            kept_steps=run.resumption.kept.steps,
            continuation=self._begun_at.continuation(block),
            keeps_state=run.keeps_state,
        )
        return Training(
            number=number,
            stack=self._stack,
            block=replace(block, whole=whole),
            choice=self.choice,
            options=trainer if remote else replace(trainer, logger=self.loggers),
            checkpoint=checkpoint,
            logged=remote and bool(self.loggers),
        )

    @property
    def _trainer(self) -> TrainerOptions:
        """What can be sent to another process, where it has to be."""
        given = self.runs[0].settings.trainer
        return replace(given, callbacks=(), logger=False) if self._terms.remote else given

    def _checkpoint(self, block: SharedBlock) -> Path:
        path = self._partials[block.first].checkpoint(block.whole)
        if self._terms.checkpoints is None:
            return path
        folder = self._terms.checkpoints / self._partials[block.first].fingerprint
        make_folder(folder)
        return folder / path.name


def _write(run: CellRun, partial: PartialRun) -> Record:
    choice = partial.choice
    looped = (run.facts.ways.loop_reason or FASTER) if choice.way is Way.PLAIN else None
    provenance = Provenance(
        run.environment.model_copy(update={"threads": choice.threads}),
        run.suite,
        max(choice.widest, 1 if choice.way is Way.PLAIN else NARROWEST),
        run.foundation.hashes,
        choice.way,
        looped,
        choice.executor if choice.way is Way.TRACED else None,
        partial.earlier(),
    )
    blocks = partial.finished(run.cell.protocol.seeds)
    return write_record(run.folder, run.cell, blocks, run.facts, provenance)
