"""Whatever a tracker does, or fails to do, results are kept, and it hears how a cell ended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pytorch_lightning.loggers import CSVLogger

import synthbench as sb
from synthbench.errors import ModelError
from synthbench.listeners.listener import Silent
from synthbench.plan.cell import Cell


class Broken(sb.Tracker):
    """Fails at everything."""

    name = "broken"

    def follow(self, cell: Cell, suite: object, folder: Path) -> sb.TrackedCell:
        return BrokenCell()


class BrokenCell(sb.TrackedCell):
    def logger(self) -> None:
        raise OSError("no\nnetwork")

    def finish(self, record: sb.Record, folder: Path, reused: bool) -> None:
        raise RuntimeError("disk full")


class Falling(sb.Tracker):
    """Fails in the middle of training."""

    name = "falling"

    def follow(self, cell: Cell, suite: object, folder: Path) -> sb.TrackedCell:
        return FallingCell(folder)


@dataclass
class FallingCell(sb.TrackedCell):
    folder: Path

    def logger(self) -> CSVLogger:
        return FallingLogger(str(self.folder))

    def finish(self, record: sb.Record, folder: Path, reused: bool) -> None:
        pass


class FallingLogger(CSVLogger):
    def log_metrics(self, metrics: dict[str, float], step: int | None = None) -> None:
        raise ConnectionError("gone")


class Heard(sb.Tracker):
    """Remembers what it was told."""

    name = "heard"

    def follow(self, cell: Cell, suite: object, folder: Path) -> sb.TrackedCell:
        return HeardCell()


class HeardCell(sb.TrackedCell):
    told: list[object] = []  # noqa: RUF012 - emptied by the test

    def finish(self, record: sb.Record, folder: Path, reused: bool) -> None:
        self.told.append(reused)

    def abandon(self) -> None:
        self.told.append("abandoned")


def test_trackers_hear_of_every_end_and_cost_no_result(
    ten_steps: Cell, out: Path, settings: sb.Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes: list[str] = []
    HeardCell.told.clear()

    class Notes(Silent):
        def note(self, message: str) -> None:
            notes.append(message)

    own = CSVLogger(str(out), "log")
    settings = replace(
        settings,
        trackers=(Broken(), Falling(), Heard()),
        listener=Notes(),
        trainer=replace(settings.trainer, logger=own),
    )
    result = sb.evaluate_cells([ten_steps], out, settings)[0]
    assert sb.read_record(result.folder) == result.record
    assert notes == [
        'tracker "broken" failed, results are kept: OSError: no network',
        'tracker "falling" failed, results are kept: ConnectionError: gone',
        'tracker "broken" failed, results are kept: RuntimeError: disk full',
    ]
    assert (Path(own.log_dir) / "metrics.csv").exists(), "the caller's logger stays"
    sb.evaluate_cells([ten_steps], out, settings)

    def fail(*_: object) -> None:
        raise ModelError("it cannot be trained")

    monkeypatch.setattr("synthbench.evaluation.jobs.train_block", fail)
    with pytest.raises(ModelError):
        sb.evaluate_cells([ten_steps], out, replace(settings, resume=False))
    assert HeardCell.told == [False, True, "abandoned"]
