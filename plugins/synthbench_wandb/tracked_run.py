"""One cell as one W&B run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import wandb
from PIL import Image
from pytorch_lightning.loggers import WandbLogger

from synthbench import (
    Cell,
    CellResult,
    Record,
    SuiteReference,
    SynthbenchError,
    TrackedCell,
    read_results,
)
from synthbench_wandb.history import (
    SPENT,
    configuration,
    curves,
    group_name,
    provenance,
    replica_table,
    run_name,
    summary,
)
from synthbench_wandb.session import is_offline, outside_sweeps, root_of

RECORD = "record.json"
FIGURES = ("learning-curves", "survival", "transition-raster", "probes", "test-sets", "curves")
MARK = "logged.txt"
"""In an offline run's folder: where it goes, and which record it holds whole."""


class LiveLogger(WandbLogger):
    """Lightning's logger, writing what it hears during training under `live/`.

    Blocks of replicas train one after the other and each begins at its first step, so these
    curves are for watching; the curves of the record come when the cell is finished.
    """

    def __init__(self, run: wandb.Run, batch_size: int) -> None:
        super().__init__(experiment=run, save_dir=run.dir)
        self._batch_size = batch_size

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Log what Lightning measured at an optimizer step."""
        live = {f"live/{name}": value for name, value in metrics.items() if name != "epoch"}
        if step is not None:
            live["live/samples"] = int(step) * self._batch_size
        self.experiment.log(live)


class TrackedRun(TrackedCell):
    """The run of one cell: its id is of the plan, so the same cell is the same run."""

    def __init__(
        self, place: tuple[str | None, str], cell: Cell, suite: SuiteReference | None, folder: Path
    ) -> None:
        """place: entity, or none for one's own, and project; folder: the cell's own."""
        self._entity, self._project = place
        self._cell = cell
        self._suite = suite
        self._root = root_of(folder.parent)
        self._id = cell.plan_hash()[:16]
        self._run: wandb.Run | None = None

    def logger(self) -> LiveLogger:
        """Opens the run."""
        run = self._open()
        # The summary is the record's alone.
        run.define_metric("live/*", summary="none")
        return LiveLogger(run, self._cell.model.recipe.batch_size)

    def abandon(self) -> None:
        """Closes the run, if it is open, as failed."""
        if self._run is not None:
            self._run.finish(exit_code=1)

    def finish(self, record: Record, folder: Path, reused: bool) -> None:
        """Log the record, unless this run holds it already."""
        digest = hashlib.sha256((folder / RECORD).read_bytes()).hexdigest()
        words = f"{self._entity} {self._project} {digest}"
        if self._run is None and words in self._written_offline():
            return
        run = self._open()
        try:
            if run.summary.get("record") != digest:
                log_record(run, read_results(folder)[0])
                run.summary["record"] = digest
        finally:
            run.finish()
        mark = Path(run.dir).with_name(MARK)
        if mark.parent.is_dir():  # With WANDB_MODE=disabled there is none.
            mark.write_text(words, encoding="utf-8")

    def _open(self) -> wandb.Run:
        if self._run is None:
            cell, suite = self._cell, self._suite
            self._root.mkdir(parents=True, exist_ok=True)
            with outside_sweeps():
                self._run = wandb.init(
                    entity=self._entity,
                    project=self._project,
                    dir=str(self._root),
                    id=self._id,
                    name=run_name(cell),
                    group=group_name(cell),
                    config=configuration(cell, suite),
                    # Offline there is nothing to resume from: the server joins what is synced.
                    resume=None if is_offline() else "allow",
                    reinit="create_new",
                    settings=wandb.Settings(silent=True, console="off"),
                )
        return self._run

    def _written_offline(self) -> Iterator[str]:
        """The marks in the offline runs of this cell."""
        if is_offline():
            for mark in self._root.glob(f"wandb/offline-run-*-{self._id}/{MARK}"):
                yield mark.read_text(encoding="utf-8")


def log_record(run: wandb.Run, result: CellResult) -> None:
    """Curves, replicas, figures, summary and the record itself."""
    run.config.update(provenance(result.record), allow_val_change=True)
    for name in SPENT:
        run.define_metric(name, hidden=True)
    measured = result.measured.trajectories.measured
    for name in ("share_solved", *(f"{column}/*" for column in measured)):
        run.define_metric(name, step_metric="samples")
    for row in curves(result):
        run.log(row)
    names, rows = replica_table(result)
    run.log({"outcomes": wandb.Table(columns=names, data=rows), **dict(_pictures(result))})
    run.log_artifact(_artifact(result))
    run.summary.update(summary(result))


def _pictures(result: CellResult) -> Iterator[tuple[str, Any]]:
    for kind in FIGURES:
        buffer = BytesIO()
        try:
            result.plot(kind).savefig(buffer, format="png")
        except (SynthbenchError, RuntimeError):  # Not measured, or matplotlib cannot draw it.
            continue
        yield f"figures/{kind}", wandb.Image(Image.open(buffer), file_type="png")


def _artifact(result: CellResult) -> wandb.Artifact:
    record = result.record
    artifact = wandb.Artifact(
        f"record-{record.plan_hash[:16]}",
        type="synthbench-record",
        description=f"{record.model} on {record.task}",
        metadata={"plan_hash": record.plan_hash, "created": record.created},
    )
    for name in (RECORD, *record.files):
        # What lies in the cell's folder is never changed, so W&B need not copy it.
        artifact.add_file(str(result.folder / name), name=name, policy="immutable", skip_cache=True)
    return artifact
