"""One bit flips somewhere in a run's folder: no run ends with other numbers.

The whole count, with a table of what happened:
`pytest -n 0 -m slow tests/evaluation/test_flipped_bits.py -s`.
"""

from __future__ import annotations

import json
import random
import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch

import synthbench as sb
from synthbench.engine.training.checkpoints import why_unusable
from synthbench.errors import RecordError
from synthbench.evaluation.partial_run import PartialIdentity, find_partial
from synthbench.hashing import CHECKSUM_BYTES, checked_content
from synthbench.records.weights import read_weights
from tests.evaluation.growing import cell
from tests.evaluation.notes import Notes

PLANNED = cell(budget=128, seeds=4, until="budget", evaluation_samples=128, resolution=1)
SETTINGS = sb.Settings(
    sb.TrainerOptions("cpu", checkpoint_seconds=0),
    replicas_per_block=2,
    keep_weights=True,
    pictures=False,
)
TRIALS = [3, pytest.param(400, marks=pytest.mark.slow)]
DAMAGED = ("damaged", "checksum", "could not be read", "starting again")
"""Words of which one is said of every damage."""


class Interrupt(pl.Callback):
    """Ctrl-C after the second block has begun."""

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        if pl_module._seeds[0].init == 2 and trainer.current_epoch == 2:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> sb.CellResult:
    return sb.evaluate_cells([PLANNED], tmp_path_factory.mktemp("unbroken"), SETTINGS)[0]


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished block, and a checkpoint of the other."""
    out = tmp_path_factory.mktemp("stopped")
    trainer = replace(SETTINGS.trainer, callbacks=(Interrupt(),))
    with pytest.raises(KeyboardInterrupt):
        sb.evaluate_cells([PLANNED], out, replace(SETTINGS, trainer=trainer))
    return out


class Flips:
    """Random bits of all files of a folder, each as likely as any other."""

    def __init__(self, folder: Path) -> None:
        self._files = sorted(path for path in folder.rglob("*") if path.is_file())
        self._sizes = [path.stat().st_size for path in self._files]
        self._folder, self._random = folder, random.Random(20)

    def copy(self, to: Path) -> str:
        """A copy of the folder with one bit flipped; returns the name of the file that has it."""
        shutil.copytree(self._folder, to)
        (path,) = self._random.choices(self._files, self._sizes)
        damaged = to / path.relative_to(self._folder)
        content = bytearray(damaged.read_bytes())
        content[self._random.randrange(len(content))] ^= 1 << self._random.randrange(8)
        damaged.write_bytes(content)
        return path.name


@pytest.mark.parametrize("trials", TRIALS)
def test_an_interrupted_run_ends_with_the_same_numbers(
    trials: int, stopped: Path, unbroken: sb.CellResult, tmp_path: Path
) -> None:
    flips, seen = Flips(stopped), Counter[tuple[str, str]]()
    for trial in range(trials):
        notes, out = Notes(), tmp_path / str(trial)
        name = flips.copy(out)
        (result,) = sb.evaluate_cells([PLANNED], out, replace(SETTINGS, listener=notes))
        for file in ("trajectories.parquet", "weights.safetensors"):
            own, other = (each.folder / file for each in (result, unbroken))
            assert own.read_bytes() == other.read_bytes(), f"{name} in trial {trial}"
        assert result.record.summary == unbroken.record.summary
        named = any(word in message for message in notes.messages for word in DAMAGED)
        seen[name, "named, made again" if named else "of no consequence"] += 1
        shutil.rmtree(out)
    _print(seen)


@pytest.mark.parametrize("trials", [60, pytest.param(4000, marks=pytest.mark.slow)])
def test_an_interrupted_run_goes_on_from_what_was_written_or_begins_again(
    trials: int, stopped: Path, tmp_path: Path
) -> None:
    """The same without the training that follows: many more bits in the same time."""
    (partial,) = stopped.glob("*/.partial")
    (checkpoint,) = partial.glob("block-*.ckpt")
    state = json.loads(checked_content((partial / "state.json").read_bytes()))
    identity = PartialIdentity(**{key: v for key, v in state.items() if key != "choice"})
    before = find_partial(partial.parent, identity)
    assert before is not None and not before.damaged
    (block,) = before.finished(4)
    flips, seen = Flips(partial.parent), Counter[tuple[str, str]]()
    for trial in range(trials):
        folder = tmp_path / str(trial)
        name = flips.copy(folder)
        found = find_partial(folder, identity)
        assert found is not None and found.choice == before.choice
        for own in found.finished(4):
            assert own.table == block.table and own.diverged == block.diverged
            assert own.references == block.references and own.seconds == block.seconds
            assert all(torch.equal(own.weights[key], t) for key, t in block.weights.items())
        reason = why_unusable(folder / ".partial" / checkpoint.name)
        if reason is None:
            content = (folder / ".partial" / checkpoint.name).read_bytes()
            whole = checkpoint.read_bytes()
            assert content[:-CHECKSUM_BYTES] == whole[:-CHECKSUM_BYTES]
        copies = ("state.json", "state-copy.json")
        damaged = bool(found.damaged or reason) or name in copies
        seen[name, "found" if damaged else "of no consequence"] += 1
        shutil.rmtree(folder)
    _print(seen)


@pytest.mark.parametrize("trials", [40, pytest.param(4000, marks=pytest.mark.slow)])
def test_a_finished_run_is_read_as_it_was_or_refused(
    trials: int, unbroken: sb.CellResult, tmp_path: Path
) -> None:
    flips, seen = Flips(unbroken.folder), Counter[tuple[str, str]]()
    weights = read_weights(unbroken.record, unbroken.folder)
    for trial in range(trials):
        folder = tmp_path / str(trial)
        name = flips.copy(folder)
        try:
            (result,) = sb.read_results(folder)
        except RecordError as error:
            assert str(folder) in str(error) and "\n" not in str(error)
            seen[name, "refused"] += 1
        else:
            assert result.record == unbroken.record, f"{name} in trial {trial}"
            assert result.measured.trajectories.table == unbroken.measured.trajectories.table
            own = read_weights(result.record, folder)
            assert all(torch.equal(own[key], tensor) for key, tensor in weights.items())
            seen[name, "of no consequence"] += 1
        shutil.rmtree(folder)
    _print(seen)


def _print(seen: Counter[tuple[str, str]]) -> None:
    for (name, ending), count in sorted(seen.items()):
        print(f"{count:4} {name}: {ending}")
