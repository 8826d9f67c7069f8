"""Full, removed and read-only folders: one line, and the same bits when it is run again."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import filelock
import pytest
import pytorch_lightning as pl

import synthbench as sb
from synthbench.errors import OutputError
from tests.evaluation.growing import cell, trained
from tests.evaluation.notes import Notes

PLANNED = cell(budget=192, seeds=2, until="budget", evaluation_samples=128, resolution=1)
SETTINGS = sb.Settings(
    sb.TrainerOptions("cpu", checkpoint_seconds=0), replicas_per_block=2, keep_weights=True
)


def evaluated(out: Path, **changes: Any) -> sb.CellResult:
    return sb.evaluate_cells([PLANNED], out, replace(SETTINGS, **changes))[0]


def tables(result: sb.CellResult) -> list[bytes]:
    names = ("trajectories.parquet", "weights.safetensors")
    return [(result.folder / name).read_bytes() for name in names]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> sb.CellResult:
    return evaluated(tmp_path_factory.mktemp("unbroken"), pictures=False)


class Disk:
    """Lets files be flushed to it some times, then it is full."""

    def __init__(self, room: int) -> None:
        self.room = room

    def fsync(self, _: int) -> None:
        if self.room == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.room -= 1


def leftovers(out: Path) -> list[Path]:
    return [path for path in out.rglob("*.partial") if path.is_file()]


def evaluated_on(disk: Disk, out: Path) -> sb.CellResult | str:
    """The result, or the line that is said where the disk is full."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", disk.fsync)
        try:
            return evaluated(out, pictures=False)
        except OutputError as error:
            line = str(error)
    advice = "No space left on device; make room, then run the same command again"
    assert line.startswith("cannot write ") and line.endswith(advice) and "\n" not in line
    assert not leftovers(out)
    return line


def test_a_disk_that_is_full_again_and_again_costs_no_bit(
    unbroken: sb.CellResult, out: Path
) -> None:
    """Every run goes on where the last ended, and has room for one file more."""
    found = [evaluated_on(Disk(0), out)]
    while isinstance(found[-1], str):
        found.append(evaluated_on(Disk(len(found)), out))
    failed = [Path(str(line).split(": ")[0]).name for line in found[:-1]]
    assert failed[:2] == ["state.json", "state-copy.json"]
    assert {Path(name).suffix for name in failed[2:]} == {".ckpt", ".parquet", ".safetensors"}
    assert tables(found[-1]) == tables(unbroken)


@pytest.mark.slow
def test_each_write_in_turn_fails_and_the_next_run_has_the_same_bits(
    unbroken: sb.CellResult, tmp_path: Path
) -> None:
    for room in range(100):
        out = tmp_path / str(room)
        if not isinstance(evaluated_on(Disk(room), out), str):
            break
        assert tables(evaluated(out, pictures=False)) == tables(unbroken)
    assert room >= 10


class Removal(pl.Callback):
    """Takes the folder of the unfinished run away while it trains."""

    def __init__(self, out: Path) -> None:
        self._out = out

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.current_epoch == 2:
            for folder in self._out.glob("*/.partial"):
                shutil.rmtree(folder)


def test_a_folder_that_is_removed_meanwhile(unbroken: sb.CellResult, out: Path) -> None:
    trainer = replace(SETTINGS.trainer, callbacks=(Removal(out),))
    with pytest.raises(OutputError, match="No such file or directory; its folder is not there"):
        evaluated(out, trainer=trainer)
    assert tables(evaluated(out, pictures=False)) == tables(unbroken)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES)), "Permission denied"),
        (OSError(errno.ENOLCK, os.strerror(errno.ENOLCK)), "No locks available"),
        (NotImplementedError("FileSystem does not appear to support flock"), "support flock"),
    ],
)
def test_a_lock_that_cannot_be_had_is_a_line_and_finished_cells_need_none(
    error: Exception,
    reason: str,
    unbroken: sb.CellResult,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refused(_: object) -> None:
        raise error

    monkeypatch.setattr(filelock.FileLock, "acquire", refused)
    with pytest.raises(OutputError, match=f"cannot lock .*{reason}.*; delete that file"):
        evaluated(out)
    with trained() as seeds:
        again = evaluated(unbroken.folder.parent)
    assert again.reused and not seeds and again.record == unbroken.record


def test_finished_cells_need_no_disk_that_can_be_written(
    unbroken: sb.CellResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object, **__: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("synthbench.records.atomic.TemporaryFile", refused)
    assert evaluated(unbroken.folder.parent, pictures=False).reused


def test_what_a_killed_run_was_writing_is_cleared_away(out: Path) -> None:
    """In the folder of the cell all of it, since it is ours; in that of all what nobody writes."""
    first = evaluated(out, pictures=False)
    gone = [
        out / f".learning_curves.png.{machine()}-{2**22 + 1}.partial",
        first.folder / ".learning_curves.png.123456-7.partial",
        first.folder / ".record.json.8.partial",
        first.folder / ".partial" / "block-000000-2-2.ckpt.partial",
    ]
    stay = [
        out / f".learning_curves.png.{machine()}-{os.getpid()}.partial",
        out / ".learning_curves.png.000000-1.partial",
    ]
    gone[3].parent.mkdir()
    for path in (*gone, *stay):
        path.touch()
    assert evaluated(out, pictures=False).reused
    assert not [path for path in gone if path.exists()]
    assert all(path.exists() for path in stay), "another process may be writing them"


def machine() -> str:
    from synthbench.records.atomic import _machine

    return _machine()


def test_a_checkpoint_of_another_lightning_is_named_and_its_block_starts_again(
    unbroken: sb.CellResult, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer = replace(SETTINGS.trainer, callbacks=(Removal(out / "nowhere"), Stop()))
    with pytest.raises(KeyboardInterrupt):
        evaluated(out, trainer=trainer)
    notes = Notes()
    with monkeypatch.context() as patch:
        patch.setattr("synthbench.engine.training.checkpoints.version", lambda _: "1.9.0")
        result = evaluated(out, pictures=False, listener=notes)
    assert any("was written by Lightning" in message for message in notes.messages)
    assert tables(result) == tables(unbroken)


class Stop(pl.Callback):
    """Ctrl-C once there is a checkpoint."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if trainer.current_epoch == 2:
            raise KeyboardInterrupt
