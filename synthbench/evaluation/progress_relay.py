"""From Lightning's callbacks to whoever listens."""

from __future__ import annotations

import pytorch_lightning as pl

from synthbench.engine.training.replica_training import ReplicaTraining
from synthbench.evaluation.shared_block import SharedBlock
from synthbench.listeners.listener import BlockProgress, Listener


class ProgressRelay(pl.Callback):
    """Passes the state of a block on to the listener, after every chunk and every evaluation."""

    def __init__(self, listener: Listener, block: SharedBlock) -> None:
        self._listener = listener
        self._block = block

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: object
    ) -> None:
        """Say how far the block is."""
        self._tell(pl_module)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say which replicas are done."""
        self._tell(pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say why steps were not captured, where they should have been."""
        assert isinstance(pl_module, ReplicaTraining)
        if pl_module.graphs.failure is not None:
            self._listener.note(
                f'steps of "{pl_module.cell.model.label()}" are launched one kernel at a time, not '
                f"as CUDA graphs ({pl_module.graphs.failure})"
            )

    def _tell(self, module: pl.LightningModule) -> None:
        assert isinstance(module, ReplicaTraining)
        solved, running = module.outcomes.solved, module.running
        for share in self._block.shares:
            self._listener.block_advanced(
                BlockProgress(
                    share.cell,
                    earlier=share.numbers[0],
                    replicas=len(share.numbers),
                    steps=module.finished_steps,
                    solved=int(solved[share.start : share.stop].sum()),
                    running=int(running[share.start : share.stop].sum()),
                )
            )
