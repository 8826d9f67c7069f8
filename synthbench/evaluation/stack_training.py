"""Training the replicas of one cell, or of several that share a stack, block by block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from synthbench.engine.axis.memory import does_not_fit, is_out_of_memory
from synthbench.engine.axis.way import Execution, Way
from synthbench.engine.training.block import NARROWEST, Block
from synthbench.engine.training.block_training import BlockResult, train_block
from synthbench.evaluation.cell_run import CellRun
from synthbench.evaluation.grouping import groups
from synthbench.evaluation.partial_run import PartialRun
from synthbench.evaluation.progress_relay import ProgressRelay
from synthbench.evaluation.record_writing import Provenance, write_record
from synthbench.evaluation.shared_block import SharedBlock, next_block
from synthbench.evaluation.training_choice import TrainingChoice
from synthbench.evaluation.training_functions import TrainingFunctions
from synthbench.evaluation.way_notes import FASTER, note_way
from synthbench.isolation.threads import threads
from synthbench.records import Record


@dataclass
class StackTraining:
    """Cells of which none is finished; the first stands for what they share."""

    runs: Sequence[CellRun]
    _functions: TrainingFunctions
    _choice: TrainingChoice | None = field(default=None, init=False)

    @classmethod
    def of(cls, runs: Sequence[CellRun]) -> StackTraining:
        """Cells that differ in numbers alone."""
        return cls(runs, TrainingFunctions(runs[0], [run.cell for run in runs]))

    @property
    def _first(self) -> CellRun:
        return self.runs[0]

    def records(self) -> list[Record]:
        """Train what is missing, and write a record for each cell."""
        with threads(1) as available:
            return self._records(available)

    def _records(self, available: int) -> list[Record]:
        partials = []
        for run in self.runs:
            run.listener.cell_started(run.cell)
            partials.append(
                run.resumption.open_partial(run.environment, lambda: self._chosen(available))
            )
        records: dict[int, Record] = {}
        # Several, where some were begun at another time, in another way.
        for places in groups([partial.choice for partial in partials]):
            own = [partials[place] for place in places]
            together = StackTraining([self.runs[place] for place in places], self._functions)
            records |= zip(places, together._finished(own), strict=True)
        return [records[place] for place in range(len(partials))]

    def _finished(self, partials: list[PartialRun]) -> list[Record]:
        """Train what is missing of cells that are trained in one way."""
        choice = partials[0].choice
        self._note(choice)
        cells = [run.cell for run in self.runs]
        with threads(choice.threads):
            while (block := next_block(cells, partials)) is not None:
                partials = self._train(partials, block)
        return [self._write(run, partial) for run, partial in zip(self.runs, partials, strict=True)]

    def _chosen(self, available: int) -> TrainingChoice:
        """The choice, made once for all cells."""
        if self._choice is None:
            self._choice = self._functions.choose(available)
        return self._choice

    def _note(self, choice: TrainingChoice) -> None:
        first = self._first
        note_way(first.listener, first.cell, first.facts, choice.way, first.device)
        if len(self.runs) > 1:
            first.listener.note(
                f"{len(self.runs)} cells that differ in numbers alone are trained in one stack"
            )

    def _train(self, partials: list[PartialRun], block: SharedBlock) -> list[PartialRun]:
        """With the block finished or, where memory ends, with narrower blocks to come."""
        try:
            result = self._trained(partials[0].choice, partials, block)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return self._narrower(partials, block.whole)
        for place, part, own in block.split(result):
            partials[place].add(part, own)
        partials[block.first].checkpoint(block.whole).unlink(missing_ok=True)
        return partials

    def _trained(
        self, choice: TrainingChoice, partials: list[PartialRun], block: SharedBlock
    ) -> BlockResult:
        first, own = self._first, self.runs[block.first]
        trainer, relay = first.settings.trainer, ProgressRelay(first.listener, block)
        options = replace(
            trainer,
            callbacks=(*trainer.callbacks, relay),
            logger=own.tracking.loggers(trainer.logger),
        )
        checkpoint = partials[block.first].checkpoint(block.whole)
        own.resumption.drop_damaged(checkpoint)
        whole = replace(
            block.whole,
            inherited=own.foundation.inherited.rows(block.whole.rows()),
            kept_steps=own.resumption.kept.steps,
        )
        execution = Execution(choice.way, first.facts.ways.draws, choice.executor)
        functions = None if choice.way is Way.PLAIN else self._functions.of(choice.executor)
        return train_block(own.cell, whole, options, execution, checkpoint, functions)

    def _narrower(self, partials: list[PartialRun], block: Block) -> list[PartialRun]:
        first = self._first
        if block.width <= NARROWEST:
            raise does_not_fit(first.cell.model.label())
        widest = block.width // 2
        first.listener.note(f"out of memory: continuing with {widest} replicas at once")
        return [partial.with_widest(widest) for partial in partials]

    def _write(self, run: CellRun, partial: PartialRun) -> Record:
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
