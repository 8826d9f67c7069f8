"""Lightning checkpoints of a block: written atomically, every so often."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning_fabric.utilities.types import _PATH

from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the target and renames, so a killed run leaves the previous checkpoint."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: _PATH, storage_options: Any | None = None
    ) -> None:
        """Save to a temporary file in the same folder, flush it to disk, rename it."""
        target = Path(path)
        temporary = target.with_name(target.name + ".partial")
        with temporary.open("wb") as file:
            torch.save(checkpoint, file)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)


class PeriodicCheckpoint(pl.Callback):
    """Saves after an evaluation once `seconds` have passed since the last save.

    Never where an optimizer of others could not go on from it: such a block begins again.
    """

    def __init__(self, path: Path, seconds: float) -> None:
        """path: the file to write; seconds: 0 saves after every evaluation."""
        self._path = path
        self._seconds = seconds
        self._saved = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save when it is time, unless the block is done."""
        due = time.monotonic() - self._saved >= self._seconds
        if due and not trainer.should_stop and _resumes(trainer):
            trainer.save_checkpoint(self._path)
            self._saved = time.monotonic()


def _resumes(trainer: pl.Trainer) -> bool:
    return all(
        optimizer.needs.resumes
        for optimizer in trainer.optimizers
        if isinstance(optimizer, ReplicaOptimizer)
    )


def is_readable(path: Path) -> bool:
    """Whether a checkpoint can be continued; a damaged one, or one of an older kind, cannot."""
    try:
        own = torch.load(path, map_location="cpu", weights_only=True)["synthbench"]
    # torch raises many kinds of error for damaged files.
    except Exception:
        return False
    return set(own) >= {"finite", "met"}
