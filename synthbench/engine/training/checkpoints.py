"""Lightning checkpoints of a block: written atomically, with a checksum, every so often."""

from __future__ import annotations

import hashlib
import os
import time
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytorch_lightning as pl
import torch
from lightning_fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning_fabric.utilities.types import _PATH

from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.engine.training.interruption import Interruption
from synthbench.errors import cannot_write
from synthbench.hashing import checksum_line, is_damaged

LIGHTNING = "pytorch-lightning_version"
"""Where Lightning notes itself in a checkpoint."""


class AtomicCheckpointIO(TorchCheckpointIO):
    """Writes beside the target and renames, so a killed run leaves the previous checkpoint."""

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: _PATH, storage_options: Any | None = None
    ) -> None:
        """Save to a temporary file in the same folder, flush it to disk, rename it.

        A checksum follows what torch writes, which looks for its own end. Raises OutputError,
        and leaves no file, where the disk is full, gone or read-only.
        """
        target = Path(path)
        temporary = target.with_name(target.name + ".partial")
        try:
            with temporary.open("wb") as file:
                hashed = _Hashed(file)
                hashed.save(checkpoint)
                file.write(checksum_line(hashed.digest.hexdigest()))
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except OSError as error:
            with suppress(OSError):
                temporary.unlink()
            raise cannot_write(target, error) from None


class _Hashed:
    """A file, and the digest of what is written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self.digest = hashlib.sha256()
        self._file = file
        self._error: OSError | None = None

    def save(self, content: Any) -> None:
        """Write what torch makes of something; OSError where that is not possible."""
        try:
            torch.save(content, cast("BinaryIO", self))
        except RuntimeError:
            # Torch tells only that its writer is at another place than it thought.
            if self._error is None:
                raise
            raise self._error from None

    def write(self, data: bytes) -> int:
        """As of any file."""
        self.digest.update(data)
        try:
            return self._file.write(data)
        except OSError as error:
            self._error = error
            raise

    def flush(self) -> None:
        """As of any file."""
        self._file.flush()


class PeriodicCheckpoint(pl.Callback):
    """Saves after an evaluation once `seconds` have passed since the last save, or it is to stop.

    Never where an optimizer of others could not go on from it: such a block begins again.
    """

    def __init__(self, path: Path, seconds: float, interruption: Interruption) -> None:
        """path: the file to write; seconds: 0 saves after every evaluation."""
        self._path = path
        self._seconds = seconds
        self._interruption = interruption
        self._saved = time.monotonic()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save when it is time, unless the block is done."""
        due = time.monotonic() - self._saved >= self._seconds
        if (due or self._interruption.asked) and not trainer.should_stop and _resumes(trainer):
            trainer.save_checkpoint(self._path)
            self._saved = time.monotonic()


def _resumes(trainer: pl.Trainer) -> bool:
    return all(
        optimizer.needs.resumes
        for optimizer in trainer.optimizers
        if isinstance(optimizer, ReplicaOptimizer)
    )


def why_unusable(path: Path) -> str | None:
    """Why a checkpoint cannot be continued; None where it can.

    It may be damaged, of an older kind, or by another version of Lightning.
    """
    try:
        if is_damaged(path):
            return "does not match its checksum"
        whole = torch.load(path, map_location="cpu", weights_only=True)
        own, lightning = whole["synthbench"], whole[LIGHTNING]
    # torch raises many kinds of error for damaged files.
    except Exception:
        return "could not be read"
    if lightning != (here := version("pytorch-lightning")):
        return f"was written by Lightning {lightning}, and {here} is here"
    return None if set(own) >= {"finite", "met"} else "is of an older version"
