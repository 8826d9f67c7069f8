"""Whatever is damaged of an unfinished run is named and made again; nothing else is lost."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import pytorch_lightning as pl

import synthbench as sb
from synthbench.evaluation import partial_run
from synthbench.hashing import CHECKSUM_BYTES, checked_content
from synthbench.plan.cell import Cell
from tests.evaluation.growing import cell, trained
from tests.evaluation.notes import Notes

SETTINGS = sb.Settings(
    sb.TrainerOptions("cpu", checkpoint_seconds=0),
    replicas_per_block=2,
    keep_weights=True,
    pictures=False,
)
PLANNED: Cell = cell(budget=160, seeds=4, until="budget", evaluation_samples=128)


class Interrupt(pl.Callback):
    """Ctrl-C after the second block has begun."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if pl_module._seeds[0].init == 2 and trainer.current_epoch == 1:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("unbroken")
    return sb.evaluate_cells([PLANNED], out, SETTINGS)[0].folder


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One finished block and a checkpoint of the other."""
    out = tmp_path_factory.mktemp("stopped")
    trainer = replace(SETTINGS.trainer, callbacks=(Interrupt(),))
    with pytest.raises(KeyboardInterrupt):
        sb.evaluate_cells([PLANNED], out, replace(SETTINGS, trainer=trainer))
    return out


@pytest.fixture
def partial(stopped: Path, tmp_path: Path) -> Path:
    """A copy of its folder, to be damaged."""
    (found,) = shutil.copytree(stopped, tmp_path / "runs").glob("*/.partial")
    return found


def flip(path: Path) -> None:
    """Flip a bit in the middle of a file's content."""
    content = bytearray(path.read_bytes())
    content[(len(content) - CHECKSUM_BYTES) // 2] ^= 4
    path.write_bytes(content)


def finished(partial: Path) -> tuple[sb.CellResult, list[str], list[int]]:
    """The result, what was said, and the seeds that were trained."""
    notes = Notes()
    with trained() as seeds:
        settings = replace(SETTINGS, listener=notes)
        (result,) = sb.evaluate_cells([PLANNED], partial.parent.parent, settings)
    return result, notes.messages, seeds


def same(result: sb.CellResult, unbroken: Path) -> bool:
    return all(
        (result.folder / name).read_bytes() == (unbroken / name).read_bytes()
        for name in ("trajectories.parquet", "weights.safetensors")
    )


@pytest.mark.parametrize(
    ("name", "trained_again", "said"),
    [
        ("replicas-000000.parquet", [0, 1, 2, 3], "replicas-000000 is damaged"),
        ("replicas-000000.safetensors", [0, 1, 2, 3], "replicas-000000 is damaged"),
        ("state.json", [2, 3], "continuing"),
        ("state-copy.json", [2, 3], "continuing"),
        ("block-*.ckpt", [2, 3], "does not match its checksum"),
    ],
)
def test_a_flipped_bit_costs_that_block_alone(
    name: str, trained_again: list[int], said: str, partial: Path, unbroken: Path
) -> None:
    (path,) = partial.glob(name)
    flip(path)
    result, messages, seeds = finished(partial)
    assert seeds == trained_again
    assert any(said in message for message in messages)
    assert same(result, unbroken)


def test_without_either_state_file_all_begins_again(partial: Path, unbroken: Path) -> None:
    for name in ("state.json", "state-copy.json"):
        flip(partial / name)
    result, messages, seeds = finished(partial)
    assert seeds == [0, 1, 2, 3] and "starting again" in messages[0]
    assert same(result, unbroken)


def without_checksums(partial: Path) -> None:
    """As earlier versions left it."""
    (partial / "state-copy.json").unlink()
    for path in partial.iterdir():
        path.write_bytes(checked_content(path.read_bytes()))


def test_a_run_of_an_earlier_version_goes_on(partial: Path, unbroken: Path) -> None:
    without_checksums(partial)
    result, messages, seeds = finished(partial)
    assert seeds == [2, 3] and "continuing" in messages[1]
    assert same(result, unbroken)


TAKING: Cell = replace(PLANNED, protocol=PLANNED.protocol.model_copy(update={"seeds": 6}))
"""Of which four replicas are there."""


@pytest.fixture(scope="module")
def grown_halfway(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A cell of four replicas that was to have two more, and where it was not interrupted."""
    out, whole = (tmp_path_factory.mktemp(name) for name in ("halfway", "whole"))
    settings = replace(SETTINGS, keep_weights=False)
    sb.evaluate_cells([PLANNED], out, settings)
    shutil.copytree(out, whole, dirs_exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("synthbench.evaluation.jobs.train_block", _interrupt)
        sb.evaluate_cells([TAKING], out, settings)
    return out, sb.evaluate_cells([TAKING], whole, settings)[0].folder


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("name", ["taken-over-000000.parquet", "earlier.json"])
def test_what_was_taken_over_is_taken_again(
    name: str, grown_halfway: tuple[Path, Path], tmp_path: Path
) -> None:
    out, whole = grown_halfway
    (partial,) = shutil.copytree(out, tmp_path / "runs").glob("*/.partial")
    flip(partial / name)
    notes = Notes()
    settings = replace(SETTINGS, keep_weights=False, listener=notes)
    with trained() as seeds:
        (result,) = sb.evaluate_cells([TAKING], tmp_path / "runs", settings)
    assert seeds == [4, 5]
    assert any("damaged" in message for message in notes.messages)
    table = "trajectories.parquet"
    assert (result.folder / table).read_bytes() == (whole / table).read_bytes()


def test_what_is_being_deleted_is_no_run_any_more(
    partial: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the state files and the rest."""
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shutil, "rmtree", _interrupt)
        partial_run.remove_partial(partial.parent)
    _, messages, seeds = finished(partial)
    assert seeds == [0, 1, 2, 3] and "starting again" in messages[0]
