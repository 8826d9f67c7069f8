"""One cell from start to record: resume, choose the block size, train, write."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytorch_lightning as pl
import torch
from filelock import FileLock, Timeout

from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.inspection.cell import CellFacts
from synthbench.engine.training.block import (
    NARROWEST,
    Block,
    TrainerOptions,
    split_blocks,
    train_block,
)
from synthbench.engine.training.block_size import measure_block_size
from synthbench.engine.training.cell_functions import CellFunctions, cell_functions
from synthbench.engine.training.checkpoints import is_readable
from synthbench.engine.training.replica_training import ReplicaTraining
from synthbench.errors import ModelError, OutputError
from synthbench.evaluation.cell_tracking import CellTracking
from synthbench.evaluation.partial_run import (
    PartialIdentity,
    PartialRun,
    find_partial,
    remove_partial,
)
from synthbench.evaluation.record_writing import Provenance, describe_environment, write_record
from synthbench.listeners.listener import BlockProgress, Listener, Silent
from synthbench.listeners.tracker import Tracker
from synthbench.plan.cell import Cell
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records import Record, read_record
from synthbench.records.atomic import make_folder
from synthbench.records.reading import RECORD_FILE, WEIGHTS_FILE
from synthbench.records.schema import Environment
from synthbench.registry.participants import (
    changed_plugins,
    code_versions,
    participants,
    unregistered,
)
from synthbench.registry.registry import installed
from synthbench.results.figures import PICTURE_FILE, save_default_picture
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.results import CellResult


@dataclass(frozen=True)
class Settings:
    """How to run, as opposed to what: nothing here changes what is measured.

    resume: reuse finished cells and continue half-finished ones. replicas_per_block: None
    measures the fastest. keep_weights: store each replica's weights at its last evaluation.
    trackers: where finished cells, and the training as it goes, are sent; objects or references.
    listener: who hears of it; None draws bars where a person watches, a terminal or a notebook.
    """

    trainer: TrainerOptions = TrainerOptions()
    resume: bool = True
    replicas_per_block: int | None = None
    keep_weights: bool = False
    listener: Listener | None = None
    trackers: tuple[Tracker | str, ...] = ()


@dataclass(frozen=True)
class CellRun:
    """One planned cell, ready to run into its folder."""

    cell: Cell
    facts: CellFacts
    device: torch.device
    folder: Path
    settings: Settings
    suite: SuiteReference | None

    def run(self) -> CellResult:
        """The finished cell: read from the folder if it is there, trained otherwise."""
        make_folder(self.folder)
        self._tracking.start(self.cell, self.suite, self.folder)
        try:
            result = self._measured()
        except BaseException:
            self._tracking.abandon()
            raise
        self._listener.cell_finished(result.record, result.reused)
        self._tracking.finish(result.record, self.folder, result.reused)
        return result

    def _measured(self) -> CellResult:
        with _locked(self.folder):
            record = self._finished_record() if self._may_resume() else None
            reused = record is not None
            if record is None:
                record = self._train()
            # After the record: a run that was killed in between still owes these two.
            remove_partial(self.folder)
            if not (reused and (self.folder / PICTURE_FILE).exists()):
                save_default_picture([MeasuredCell(record, self.folder)], self.folder)
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
    def _functions(self) -> CellFunctions:
        return cell_functions(self.cell, self.facts.loop_reason is not None)

    def _may_resume(self) -> bool:
        """Whether what is in the folder may be used: not if its code may have changed since."""
        own = [config.name for config in unregistered(self.cell)]
        if own and self.settings.resume and any(self.folder.glob("*.json")):
            self._listener.note(
                f"{', '.join(own)}: not from an installed plugin, so the code may have "
                "changed; training anew"
            )
        return self.settings.resume and not own

    def _finished_record(self) -> Record | None:
        if not (self.folder / RECORD_FILE).exists():
            return None
        record = read_record(self.folder)
        if record.plan_hash != self.cell.plan_hash():
            raise OutputError(f"{self.folder} holds the record of another plan; move it away")
        if changed := changed_plugins(self.cell, record.environment):
            self._listener.note(
                f"the code of {', '.join(changed)} has changed since {self.folder} was trained; "
                "training anew (a change that is published needs a new `version` of the class)"
            )
            return None
        return None if self.settings.keep_weights and WEIGHTS_FILE not in record.files else record

    def _train(self) -> Record:
        self._listener.cell_started(self.cell)
        if self.facts.loop_reason:
            self._listener.note(
                f'model "{self.cell.model.label()}" cannot be vmapped, so its replicas are '
                f"trained one at a time ({self.facts.loop_reason})"
            )
        if self.facts.optimizer_loop_reason and self.device.type == "cpu":
            self._listener.note(
                f'the optimizer of "{self.cell.model.label()}" is stepped one replica at a time '
                f"({self.facts.optimizer_loop_reason})"
            )
        plugins = participants(self.cell, self._trackers, self.suite)
        environment = describe_environment(self.device, plugins)
        partial = self._open_partial(environment)
        while (block := self._next_block(partial)) is not None:
            partial = self._train_block(partial, block)
        provenance = Provenance(environment, self.suite, max(partial.widest, NARROWEST))
        return write_record(self.folder, self.cell, partial.finished(), self.facts, provenance)

    def _open_partial(self, environment: Environment) -> PartialRun:
        identity = PartialIdentity(
            self.cell.plan_hash(),
            environment.device,
            environment.torch,
            environment.synthbench,
            environment.threads,
            self.settings.keep_weights,
            sorted(f"{name} {version}" for name, version in code_versions(self.cell).items()),
        )
        found = find_partial(self.folder, identity) if self._may_resume() else None
        if found is not None:
            self._listener.note(f"continuing the unfinished run in {self.folder}")
            wanted = self.settings.replicas_per_block
            return found.with_widest(wanted) if wanted and wanted < found.widest else found
        if self.settings.resume and (self.folder / ".partial").exists():
            self._listener.note(
                f"the unfinished run in {self.folder} is damaged or was made with other "
                "software, device, threads or --keep-weights; starting again"
            )
        remove_partial(self.folder)
        fresh = PartialRun(self.folder / ".partial", identity, self._block_size())
        fresh.save()
        return fresh

    def _block_size(self) -> int:
        seeds = self.cell.protocol.seeds
        if self.settings.replicas_per_block is not None:
            return min(self.settings.replicas_per_block, seeds)
        if self.facts.loop_reason:
            return NARROWEST
        return measure_block_size(self.cell, self.device, self._functions.gradients)

    def _next_block(self, partial: PartialRun) -> Block | None:
        done = sum(len(block.diverged) for block in partial.finished())
        remaining = self.cell.replica_seeds()[done:]
        return split_blocks(remaining, partial.widest, done)[0] if remaining else None

    def _train_block(self, partial: PartialRun, block: Block) -> PartialRun:
        relay = ProgressRelay(self._listener, block)
        trainer = self.settings.trainer
        options = TrainerOptions(
            trainer.accelerator,
            (*trainer.callbacks, relay),
            self._tracking.loggers(trainer.logger),
            trainer.checkpoint_seconds,
        )
        checkpoint = partial.checkpoint(block)
        if checkpoint.exists() and not is_readable(checkpoint):
            self._listener.note(f"{checkpoint} could not be read; starting its replicas again")
            checkpoint.unlink()
        try:
            looped = self.facts.loop_reason is not None
            result = train_block(self.cell, block, options, looped, checkpoint, self._functions)
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            return self._narrower(partial, block)
        partial.add(block, result)
        return partial

    def _narrower(self, partial: PartialRun, block: Block) -> PartialRun:
        if block.width == NARROWEST:
            raise ModelError(
                f'two replicas of "{self.cell.model.label()}" do not fit into memory; '
                "take a smaller model or batch_size"
            )
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        widest = block.width // 2
        self._listener.note(f"out of memory: continuing with {widest} replicas at once")
        return partial.with_widest(widest)


class ProgressRelay(pl.Callback):
    """Passes the state of a block on to the listener."""

    def __init__(self, listener: Listener, block: Block) -> None:
        self._listener = listener
        self._block = block

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: object
    ) -> None:
        """Say how far the block is."""
        assert isinstance(pl_module, ReplicaTraining)
        count = len(self._block.seeds)
        self._listener.block_advanced(
            BlockProgress(
                earlier=self._block.first,
                replicas=count,
                steps=pl_module.finished_steps,
                solved=int(pl_module.outcomes.solved[:count].sum()),
                running=int(pl_module.outcomes.running[:count].sum()),
            )
        )


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    try:
        with FileLock(folder / ".lock", timeout=0):
            yield
    except Timeout:
        raise OutputError(
            f"{folder} is in use by another evaluation; wait for it or choose another --out"
        ) from None
