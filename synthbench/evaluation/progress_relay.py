"""From Lightning's callbacks to whoever listens."""

from __future__ import annotations

import pytorch_lightning as pl

from synthbench.engine.training.block import Block
from synthbench.engine.training.replica_training import ReplicaTraining
from synthbench.listeners.listener import BlockProgress, Listener


class ProgressRelay(pl.Callback):
    """Passes the state of a block on to the listener."""

    def __init__(self, listener: Listener, block: Block) -> None:
        self._listener = listener
        self._block = block

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: object
    ) -> None:
        """Say how far the block is."""
        assert isinstance(pl_module, ReplicaTraining)
        count = len(self._block.seeds)
        self._listener.block_advanced(
            BlockProgress(
                earlier=self._block.first,
                replicas=count,
                steps=pl_module.finished_steps,
                solved=int(pl_module.outcomes.solved[:count].sum()),
                running=int(pl_module.running.sum()),
            )
        )
