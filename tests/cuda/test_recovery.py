"""Killed, or out of memory: a training on a GPU goes on."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import synthbench as sb
from synthbench.engine.training import data_room
from synthbench.plan.cell import Cell
from synthbench.registry.registry import installed
from tests.cuda.cells import ON_GPU, cell_of
from tests.evaluation.notes import Notes

pytestmark = ON_GPU
ROOT = Path(__file__).parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
import pytorch_lightning as pl
import synthbench as sb
from tests.cuda.test_recovery import settings_of, interrupted_cell

class Kill(pl.Callback):
    def on_train_epoch_start(self, trainer, pl_module):
        if pl_module.finished_steps > 100:
            os.kill(os.getpid(), signal.SIGKILL)

sb.evaluate_cells([interrupted_cell()], Path(sys.argv[1]), settings_of(Kill()))
"""


def interrupted_cell() -> Cell:
    return cell_of("adamw", steps=300)


def settings_of(*callbacks: object) -> sb.Settings:
    options = sb.TrainerOptions("gpu", callbacks=callbacks, checkpoint_seconds=0)
    return sb.Settings(options, replicas_per_block=8, keep_weights=True)


def test_killed_and_resumed_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [ROOT, *sys.path]))}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path / "killed")],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL, killed.stderr[-2000:]
    assert list((tmp_path / "killed").rglob("*.ckpt")), "a checkpoint is left"
    notes = Notes()
    settings = replace(settings_of(), listener=notes)
    resumed = sb.evaluate_cells([interrupted_cell()], tmp_path / "killed", settings)[0]
    whole = sb.evaluate_cells([interrupted_cell()], tmp_path / "whole", settings_of())[0]
    assert not any("discard" in message for message in notes.messages), notes.messages
    assert resumed.measured.trajectories.table.equals(whole.measured.trajectories.table)
    for one, other in ((resumed.network(r), whole.network(r)) for r in range(8)):
        for a, b in zip(one.parameters(), other.parameters(), strict=True):
            assert torch.equal(a, b)


def wide_cell(seeds: int) -> Cell:
    task, model = installed().task("sparse-parity n=20 k=2"), installed().model("mlp width=2000")
    protocol = sb.Protocol(
        budget=1280, seeds=seeds, evaluation_samples=128, until="budget", resolution=0.5
    )
    return Cell(task, model, protocol)


def test_out_of_memory_halves_the_block_and_goes_on(
    tmp_path: Path, gpu: torch.device, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What is drawn at once would not become less with the block.
    monkeypatch.setattr(data_room, "SHARE_DRAWN", 2**40)
    monkeypatch.setattr(data_room, "CHUNK_BYTES", 1)
    notes = Notes()
    settings = sb.Settings(sb.TrainerOptions("gpu"), replicas_per_block=256, listener=notes)
    torch.cuda.reset_peak_memory_stats()
    whole = sb.evaluate_cells([wide_cell(256)], tmp_path / "whole", settings)[0].record
    assert whole.compute.replicas_per_block == 256
    needed = torch.cuda.max_memory_reserved()
    total = torch.cuda.get_device_properties(gpu).total_memory
    gc.collect()
    torch.cuda.empty_cache()
    torch.cuda.set_per_process_memory_fraction(0.75 * needed / total)
    record = sb.evaluate_cells([wide_cell(256)], tmp_path / "halved", settings)[0].record
    halved = [message for message in notes.messages if "out of memory" in message]
    print(f"{needed / 2**20:.0f} MiB were needed:", halved)
    assert halved and halved[0] == "out of memory: continuing with 128 replicas at once"
    assert record.compute.replicas_per_block in (128, 64)
    assert len(record.replicas) == 256
