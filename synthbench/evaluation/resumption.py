"""What an earlier run has left in a cell's folder, and how much of it may be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from synthbench.engine.training.checkpoints import is_readable
from synthbench.errors import OutputError, RecordError
from synthbench.evaluation.kept_weights import NO_WEIGHTS, KeptWeights, found_weights
from synthbench.evaluation.partial_run import (
    PartialIdentity,
    PartialRun,
    find_partial,
    has_partial,
    remove_partial,
    start_partial,
)
from synthbench.evaluation.settings import Settings
from synthbench.evaluation.training_choice import TrainingChoice
from synthbench.listeners.listener import Listener
from synthbench.plan.cell import Cell
from synthbench.records import Record, read_record
from synthbench.records.reading import RECORD_FILE
from synthbench.records.schema import Environment
from synthbench.registry.participants import changed_plugins, code_versions, unregistered


@dataclass(frozen=True)
class Resumption:
    """One cell and the folder that may hold it, finished or half-finished.

    listener: is told why something in the folder is not used. kept: the weights that have to be
    there. sources: hashes of those that the cell takes over from others.
    """

    cell: Cell
    folder: Path
    settings: Settings
    listener: Listener
    kept: KeptWeights = NO_WEIGHTS
    sources: Mapping[str, str] = field(default_factory=dict)

    def finished_record(self) -> Record | None:
        """The record in the folder, or None where the cell has to be trained.

        Raises OutputError for the record of another plan.
        """
        if not self._may_resume() or not (self.folder / RECORD_FILE).exists():
            return None
        record = read_record(self.folder)
        if record.plan_hash != self.cell.plan_hash():
            raise OutputError(f"{self.folder} holds the record of another plan; move it away")
        if changed := changed_plugins(self.cell, record.environment):
            self.listener.note(
                f"the code of {', '.join(changed)} has changed since {self.folder} was trained; "
                "training anew (a change that is published needs a new `version` of the class)"
            )
            return None
        if record.sources != self.sources:
            self.listener.note(
                f"{self.folder} was trained with other weights of the cells it stands on; "
                "training anew"
            )
            return None
        return None if self.kept.lacking(found_weights(record, self.folder)) else record

    def keeping_what_was_kept(self) -> Resumption:
        """The same, with the weights of an earlier result among those that have to be there.

        So cells that stand on different evaluations of one cell do not take them from each other.
        """
        if not self.settings.resume or not (self.folder / RECORD_FILE).exists():
            return self
        try:
            record = read_record(self.folder)
        except RecordError:
            return self
        if record.plan_hash != self.cell.plan_hash() or not self.kept.last:
            return self
        return replace(self, kept=self.kept | found_weights(record, self.folder))

    def unfinished_replicas(self, environment: Environment) -> int:
        """How many replicas of an unfinished run in the folder are done, if it may go on here."""
        found = self._continued(self._identity(environment))
        return 0 if found is None else found.done

    def open_partial(
        self, environment: Environment, choose: Callable[[], TrainingChoice]
    ) -> PartialRun:
        """The unfinished run in the folder, or a new one in its place.

        environment: where training goes on. choose: how a new run is trained; asked for only then.
        """
        identity = self._identity(environment)
        found = self._continued(identity)
        if found is not None:
            self.listener.note(f"continuing the unfinished run in {self.folder}")
            wanted = self.settings.replicas_per_block
            return found.with_widest(wanted) if wanted and wanted < found.choice.widest else found
        if self.settings.resume and has_partial(self.folder):
            self.listener.note(
                f"the unfinished run in {self.folder} is damaged or was made with other "
                "software, device, processor, settings of torch or --keep-weights; "
                "starting again"
            )
        remove_partial(self.folder)
        return start_partial(self.folder, identity, choose())

    def drop_damaged(self, checkpoint: Path) -> None:
        """Delete a block's checkpoint that cannot be read, so that the block starts again."""
        if checkpoint.exists() and not is_readable(checkpoint):
            self.listener.note(f"{checkpoint} could not be read; starting its replicas again")
            checkpoint.unlink()

    def _continued(self, identity: PartialIdentity) -> PartialRun | None:
        """The unfinished run in the folder, if it may be used."""
        return find_partial(self.folder, identity) if self._may_resume() else None

    def _may_resume(self) -> bool:
        """Whether what is in the folder may be used: not if its code may have changed since."""
        own = [config.name for config in unregistered(self.cell)]
        if own and self.settings.resume and any(self.folder.glob("*.json")):
            self.listener.note(
                f"{', '.join(own)}: not from an installed plugin, so the code may have "
                "changed; training anew"
            )
        return self.settings.resume and not own

    def _identity(self, environment: Environment) -> PartialIdentity:
        return PartialIdentity(
            self.cell.plan_hash(),
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
