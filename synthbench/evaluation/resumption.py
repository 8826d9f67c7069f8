"""What an earlier run has left in a cell's folder, and how much of it may be used."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from synthbench.engine.training.checkpoints import why_unusable
from synthbench.errors import OutputError, RecordError
from synthbench.evaluation.begun_replicas import BegunReplicas, begun_replicas
from synthbench.evaluation.kept_replicas import KeptReplicas, kept_replicas
from synthbench.evaluation.kept_weights import NO_WEIGHTS, KeptWeights, found_weights
from synthbench.evaluation.partial_run import (
    PartialIdentity,
    PartialRun,
    began_on,
    find_partial,
    has_partial,
    remove_partial,
    start_partial,
)
from synthbench.evaluation.settings import Settings
from synthbench.evaluation.taking_over import TakenOver, earlier_replicas
from synthbench.evaluation.training_choice import TrainingChoice
from synthbench.listeners.listener import Listener
from synthbench.plan.cell import Cell
from synthbench.plan.growth import configuration_hash, holds, seedless_hash
from synthbench.records import Record, read_record
from synthbench.records.atomic import remove_file
from synthbench.records.reading import RECORD_FILE
from synthbench.records.schema import Environment
from synthbench.registry.participants import changed_plugins, code_versions, unregistered
from synthbench.results.measured_cell import MeasuredCell
from synthbench.results.narrowed import narrowed


@dataclass(frozen=True)
class Resumption:
    """One cell and the folder that may hold it, finished or half-finished.

    listener: is told why something in the folder is not used. kept: the weights that have to be
    there. sources: hashes of those that the cell takes over from others. relatives: folders of
    cells whose replicas may be replicas of this one.
    """

    cell: Cell
    folder: Path
    settings: Settings
    listener: Listener
    kept: KeptWeights = NO_WEIGHTS
    sources: Mapping[str, str] = field(default_factory=dict)
    relatives: tuple[Path, ...] = ()

    def finished_record(self) -> Record | None:
        """The record in the folder, or None where the cell has to be trained or to grow.

        Of more replicas, or a larger budget, it is what the cell asks for; evaluations may lie
        closer together than it does. Raises OutputError for the record of another configuration.
        """
        self._say_why_not()
        if not self._may_resume or not (self.folder / RECORD_FILE).exists():
            return None
        record = self._read_record()
        if record is None or not self._is_current(record):
            return None
        if record.sources != self.sources:
            self.listener.note(
                f"{self.folder} was trained with other weights of the cells it stands on; "
                "training anew"
            )
            return None
        if self.kept.lacking(found_weights(record, self.folder)):
            return None
        return self._as_planned(record)

    def _read_record(self) -> Record | None:
        """None where a kill came between the files of a cell that had grown: all are kept yet."""
        try:
            record = read_record(self.folder)
        except RecordError:
            if has_partial(self.folder):
                return None
            raise
        if configuration_hash(record.plan) != configuration_hash(self.cell.plan()):
            raise OutputError(f"{self.folder} holds the record of another plan; move it away")
        return record

    def _is_current(self, record: Record) -> bool:
        """Whether the code of plugins is what it was when the record was written."""
        changed = changed_plugins(self.cell, record.environment)
        if changed:
            self.listener.note(
                f"the code of {', '.join(changed)} has changed since {self.folder} was trained; "
                "training anew (a change that is published needs a new `version` of the class)"
            )
        return not changed

    def _as_planned(self, record: Record) -> Record | None:
        """The part of a record that the cell asks for; None where it asks for more."""
        seeds, budget = self.cell.protocol.seeds, self.cell.protocol.budget
        # With a larger budget other weights are the last ones.
        lacking = record.budget > budget and self.kept.last
        if lacking or not holds(record.plan, self.cell.plan()):
            return None
        return narrowed(MeasuredCell(record, self.folder), seeds, budget).record

    def keeping_what_was_kept(self) -> Resumption:
        """The same, with the weights of an earlier result among those that have to be there.

        So cells that stand on different evaluations of one cell do not take them from each other,
        and a cell that grows does not lose them.
        """
        if not self.settings.resume or not (self.folder / RECORD_FILE).exists():
            return self
        try:
            record = read_record(self.folder)
        except RecordError:
            return self
        plan = self.cell.plan()
        same = configuration_hash(record.plan) == configuration_hash(plan)
        if not same or not (self.kept.last or not holds(record.plan, plan)):
            return self
        return replace(self, kept=self.kept | found_weights(record, self.folder))

    def unfinished_replicas(self, environment: Environment) -> int:
        """How many replicas need not be trained: of an unfinished run, or of finished cells."""
        count = self.cell.protocol.seeds
        found = self._continued(self._identity(environment))
        if found is not None:
            return count - len(found.missing(count))
        return self.taken_over(environment).finished_replicas

    def taken_over(
        self, environment: Environment, wanted: Collection[int] | None = None
    ) -> TakenOver:
        """Replicas of finished cells, in this folder or another, that need no or less training.

        environment: here; measurements of another version of SynthBench may have other columns.
        wanted: numbers of those that are looked for; None looks for all.
        """
        finished: list[KeptReplicas] = []
        begun: list[BegunReplicas] = []
        missing = set(range(self.cell.protocol.seeds) if wanted is None else wanted)
        relatives = list(self._current_relatives(environment))
        for folder, record in relatives:
            kept = kept_replicas(self.cell, missing, record, folder, self.kept)
            if kept is not None:
                finished.append(kept)
                missing -= set(kept.block.replicas)
        for folder, record in relatives:
            # Of one that goes on, weights at earlier evaluations would not be there.
            go_on = None if self.kept.steps else begun_replicas(self.cell, missing, record, folder)
            if go_on is not None:
                begun.append(go_on)
                missing -= set(go_on.numbers)
        return TakenOver(tuple(finished), tuple(begun))

    def _current_relatives(self, environment: Environment) -> Iterator[tuple[Path, Record]]:
        """Folders and records of cells whose replicas may be used here."""
        if not self._may_resume or self.sources:
            return
        for folder in self.relatives:
            # One that is planned may not be there yet.
            if not (folder / RECORD_FILE).exists():
                continue
            try:
                record = read_record(folder)
            except RecordError as error:
                self.listener.note(f"its replicas are not used: {error}")
                continue
            here = record.environment.synthbench == environment.synthbench
            if here and not changed_plugins(self.cell, record.environment):
                yield folder, record

    def unfinished_run(self, environment: Environment) -> PartialRun | None:
        """The unfinished run in the folder, if there is one that may go on.

        environment: where training goes on.
        """
        found = self._continued(self._identity(environment))
        if found is not None:
            self.listener.note(f"continuing the unfinished run in {self.folder}")
            found = self._mended(found, environment)
            wanted = self.settings.replicas_per_block
            return found.with_widest(wanted) if wanted and wanted < found.choice.widest else found
        if self.settings.resume and has_partial(self.folder):
            before, here = began_on(self.folder), environment.device_name
            if before not in (None, here):
                self.listener.note(
                    f"the unfinished run in {self.folder} was made on {before}, and this is "
                    f"{here}, where last bits may differ; starting again"
                )
                return None
            self.listener.note(
                f"the unfinished run in {self.folder} is damaged or was made with another budget, "
                "other software, device, processor, settings of torch or --keep-weights; "
                "starting again"
            )
        return None

    def _mended(self, found: PartialRun, environment: Environment) -> PartialRun:
        """Without what is damaged, whose replicas are taken over again or trained again."""
        if not found.damaged:
            return found
        names, verb = ", ".join(sorted(found.damaged)), "is" if len(found.damaged) == 1 else "are"
        self.listener.note(f"{found.folder}: {names} {verb} damaged; starting its replicas again")
        taken_over = found.took_damage
        found = found.drop_damaged()
        if taken_over:
            wanted = found.missing(self.cell.protocol.seeds)
            self._take_over(found, environment, self.taken_over(environment, wanted))
        return found

    def begin_run(
        self, environment: Environment, choice: TrainingChoice, taken: TakenOver
    ) -> PartialRun:
        """A new run in the folder, in place of any other.

        choice: how it is trained. taken: replicas of finished cells.
        """
        remove_partial(self.folder)
        started = start_partial(self.folder, self._identity(environment), choice)
        self._take_over(started, environment, taken)
        return started

    def _take_over(self, run: PartialRun, environment: Environment, taken: TakenOver) -> None:
        run.take_over(taken.finished, taken.begun)
        here = environment.model_copy(update={"threads": run.choice.threads})
        run.remember(earlier_replicas(taken.finished, here))

    def drop_damaged(self, checkpoint: Path) -> None:
        """Delete a block's checkpoint that cannot be continued, so that the block starts again."""
        if checkpoint.exists() and (reason := why_unusable(checkpoint)) is not None:
            self.listener.note(f"{checkpoint} {reason}; starting its replicas again")
            remove_file(checkpoint)

    def _continued(self, identity: PartialIdentity) -> PartialRun | None:
        """The unfinished run in the folder, if it may be used."""
        return find_partial(self.folder, identity) if self._may_resume else None

    @property
    def _may_resume(self) -> bool:
        """Whether what is in the folder may be used: not if its code may have changed since."""
        return self.settings.resume and not unregistered(self.cell)

    def _say_why_not(self) -> None:
        own = [config.name for config in unregistered(self.cell)]
        if own and self.settings.resume and any(self.folder.glob("*.json")):
            self.listener.note(
                f"{', '.join(own)}: not from an installed plugin, so the code may have "
                "changed; training anew"
            )

    def _identity(self, environment: Environment) -> PartialIdentity:
        return PartialIdentity(
            seedless_hash(self.cell.plan()),
            environment.device,
            environment.device_name,
            environment.torch,
            environment.torch_settings,
            environment.synthbench,
            self.kept.last,
            sorted(f"{name} {version}" for name, version in code_versions(self.cell).items()),
            list(self.kept.steps),
            dict(self.sources),
        )
