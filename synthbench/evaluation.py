"""Plan, run, measure, record: the one place that knows the order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytorch_lightning as pl
import torch
from filelock import FileLock, Timeout

from synthbench.cell import Cell, Protocol
from synthbench.engine.block import Block, TrainerOptions, split_blocks, train_block
from synthbench.engine.block_size import is_out_of_memory, measure_block_size
from synthbench.engine.device import find_device
from synthbench.engine.inspection import CellFacts, inspect_cell
from synthbench.engine.training import ReplicaTraining
from synthbench.errors import ConfigurationError, ModelError, OutputError
from synthbench.figures.learning_curves import save_learning_curves
from synthbench.model import Model
from synthbench.plugins import Plugin
from synthbench.progress import BlockProgress, Listener, Silent
from synthbench.records import Record, read_record
from synthbench.records.atomic import make_folder
from synthbench.records.partial import PartialIdentity, PartialRun, find_partial
from synthbench.records.reading import RECORD_FILE, TRAJECTORIES_FILE, WEIGHTS_FILE
from synthbench.records.schema import Distribution, Environment, SuiteReference
from synthbench.records.writing import describe_environment, write_record
from synthbench.registry import installed
from synthbench.suites import Suite
from synthbench.task import Task
from synthbench.trajectories import Trajectories

PICTURE_FILE = "learning_curves.png"


@dataclass(frozen=True)
class Settings:
    """How to run, as opposed to what: nothing here changes what is measured.

    resume: reuse finished cells and continue half-finished ones. replicas_per_block: None
    measures the fastest. keep_weights: store each replica's weights at its last evaluation.
    """

    trainer: TrainerOptions = TrainerOptions()
    resume: bool = True
    replicas_per_block: int | None = None
    keep_weights: bool = False
    listener: Listener = field(default_factory=Silent)


@dataclass(frozen=True)
class CellResult:
    """A finished cell: its record, its folder, and whether it was there before."""

    record: Record
    folder: Path
    reused: bool

    @property
    def trajectories(self) -> Trajectories:
        """The measurements, read from the folder."""
        return Trajectories.read(self.folder / TRAJECTORIES_FILE)


def evaluate(
    task: str | Task,
    model: str | Model,
    *,
    protocol: Protocol | None = None,
    probes: Sequence[str] = (),
    out: Path | str = "runs",
    settings: Settings | None = None,
) -> CellResult:
    """Train and measure one model on one task.

    task, model and probes are objects or references such as `'sparse-parity n=30 k=3'`.
    Returns the finished cell, from `out` if an identical one is already there. Raises a
    SynthbenchError with one clear line for anything the caller can mend.
    """
    registry = installed()
    cell = Cell(
        registry.task(task),
        registry.model(model),
        protocol or Protocol(),
        tuple(registry.probe(probe) for probe in probes),
    )
    return evaluate_cells([cell], Path(out), settings or Settings())[0]


def plan_suite(suite: Suite, models: Sequence[str | Model], protocol: Protocol) -> list[Cell]:
    """The cells of a suite for the given models: for each task, every model.

    The suite's budgets apply unless the protocol names one of its own.
    """
    registry = installed()
    own_budget = "budget" in protocol.model_fields_set
    return [
        Cell(
            registry.task(row.task),
            registry.model(model),
            protocol if own_budget else protocol.model_copy(update={"budget": row.budget}),
            tuple(registry.probe(probe) for probe in suite.probes),
        )
        for row in suite.cells
        for model in models
    ]


def evaluate_cells(
    cells: Sequence[Cell], out: Path, settings: Settings, suite: Suite | None = None
) -> list[CellResult]:
    """Train and measure cells into `out`, one folder each, and draw them side by side.

    Every cell is checked before the first one trains.
    """
    hashes = [cell.plan_hash() for cell in cells]
    if len(set(hashes)) < len(hashes):
        raise ConfigurationError("the same task and model are planned twice; name each once")
    facts = [inspect_cell(cell) for cell in cells]
    make_folder(out)
    host = installed().host
    host.announce("eval_started", cells=cells)
    reference = SuiteReference(name=suite.name, version=suite.version) if suite else None
    results = []
    for cell, found in zip(cells, facts, strict=True):
        result = _CellRun(cell, found, out / cell.folder_name(), settings, reference).run()
        host.announce("cell_finished", record=result.record)
        results.append(result)
    host.announce("eval_finished", records=[result.record for result in results])
    if len(results) > 1:
        save_learning_curves([(r.record, r.trajectories) for r in results], out / PICTURE_FILE)
    return results


@dataclass(frozen=True)
class _CellRun:
    cell: Cell
    facts: CellFacts
    folder: Path
    settings: Settings
    suite: SuiteReference | None

    def run(self) -> CellResult:
        make_folder(self.folder)
        with _locked(self.folder):
            record = self._finished_record() if self.settings.resume else None
            reused = record is not None
            if record is None:
                record = self._train()
                trajectories = Trajectories.read(self.folder / TRAJECTORIES_FILE)
                save_learning_curves([(record, trajectories)], self.folder / PICTURE_FILE)
        self.settings.listener.cell_finished(record, reused)
        return CellResult(record, self.folder, reused)

    def _finished_record(self) -> Record | None:
        if not (self.folder / RECORD_FILE).exists():
            return None
        record = read_record(self.folder)
        if record.plan_hash != self.cell.plan_hash():
            raise OutputError(f"{self.folder} holds the record of another plan; move it away")
        return None if self.settings.keep_weights and WEIGHTS_FILE not in record.files else record

    def _train(self) -> Record:
        self.settings.listener.cell_started(self.cell)
        if self.facts.loop_reason:
            self.settings.listener.note(
                f'model "{self.cell.model.label()}" cannot be vmapped, so its replicas are '
                f"trained one at a time ({self.facts.loop_reason})"
            )
        device = find_device(self.settings.trainer.accelerator)
        environment = describe_environment(device, _plugins_of(self.cell))
        partial = self._open_partial(environment, device)
        while (block := self._next_block(partial)) is not None:
            partial = self._train_block(partial, block)
        record = write_record(
            self.folder,
            self.cell,
            partial.finished(),
            self.facts,
            environment,
            self.suite,
            partial.widest,
        )
        partial.remove()
        return record

    def _open_partial(self, environment: Environment, device: torch.device) -> PartialRun:
        identity = PartialIdentity(
            self.cell.plan_hash(),
            environment.device,
            environment.torch,
            environment.synthbench,
            self.settings.keep_weights,
        )
        found = find_partial(self.folder, identity) if self.settings.resume else None
        if found is not None:
            self.settings.listener.note(f"continuing the unfinished run in {self.folder}")
            return found
        fresh = PartialRun(self.folder / ".partial", identity, self._block_size(device))
        fresh.remove()
        fresh.save()
        return fresh

    def _block_size(self, device: torch.device) -> int:
        seeds = self.cell.protocol.seeds
        if self.settings.replicas_per_block is not None:
            return min(self.settings.replicas_per_block, seeds)
        return 1 if self.facts.loop_reason else measure_block_size(self.cell, device)

    def _next_block(self, partial: PartialRun) -> Block | None:
        done = sum(len(block.diverged) for block in partial.finished())
        remaining = self.cell.replica_seeds()[done:]
        return split_blocks(remaining, partial.widest, done)[0] if remaining else None

    def _train_block(self, partial: PartialRun, block: Block) -> PartialRun:
        relay = _Relay(self.settings.listener, block)
        trainer = self.settings.trainer
        options = TrainerOptions(
            trainer.accelerator, (*trainer.callbacks, relay), trainer.logger, trainer.checkpoint_seconds
        )
        try:
            result = train_block(
                self.cell, block, options, self.facts.loop_reason is not None, partial.checkpoint
            )
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            return self._narrower(partial, block)
        partial.add(block, result)
        return partial

    def _narrower(self, partial: PartialRun, block: Block) -> PartialRun:
        if block.width == 1:
            raise ModelError(
                f'one replica of "{self.cell.model.label()}" does not fit into memory; '
                "take a smaller model or batch_size"
            )
        widest = block.width // 2
        self.settings.listener.note(f"out of memory: continuing with {widest} replicas at once")
        return partial.with_widest(widest)


class _Relay(pl.Callback):
    """Passes the state of a block on to the listener."""

    def __init__(self, listener: Listener, block: Block) -> None:
        self._listener = listener
        self._block = block

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: object
    ) -> None:
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


def _plugins_of(cell: Cell) -> tuple[Distribution, ...]:
    """The plugins that provide the cell's task, model and probes."""
    registry = installed()
    parts = {"tasks": [cell.task], "models": [cell.model], "probes": list(cell.probes)}
    found: list[Plugin] = []
    for kind, configs in parts.items():
        known = registry.names(kind)
        for config in configs:
            plugin = known.get(config.name)
            if plugin is not None and plugin not in found:
                found.append(plugin)
    return tuple(
        Distribution(plugin=p.name, distribution=p.distribution, version=p.distribution_version)
        for p in found
    )
