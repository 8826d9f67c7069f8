"""From Lightning's callbacks to whoever listens, in this process or out of another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import pytorch_lightning as pl

from synthbench.engine.training.replica_training import ReplicaTraining
from synthbench.evaluation.shared_block import SharedBlock
from synthbench.listeners.listener import BlockProgress, Listener


@dataclass(frozen=True)
class Advance:
    """Where a block stands: its steps, and replicas that have solved or run, for each share."""

    steps: int
    solved: tuple[int, ...]
    running: tuple[int, ...]


@dataclass(frozen=True)
class Remark:
    """What a person should know of a training; once: said the first time alone."""

    text: str
    once: bool = False


News: TypeAlias = Advance | Remark


class ProgressRelay(pl.Callback):
    """Passes on the state of a block, after every chunk and every evaluation."""

    def __init__(self, tell: Callable[[News], None], block: SharedBlock) -> None:
        self._tell = tell
        self._block = block

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, *_: object
    ) -> None:
        """Say how far the block is."""
        self._advance(pl_module)

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say which replicas are done."""
        self._advance(pl_module)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say why steps were not captured, where they should have been."""
        assert isinstance(pl_module, ReplicaTraining)
        if pl_module.graphs.failure is not None:
            label = pl_module.cell.model.label()
            self._tell(
                Remark(
                    f'steps of "{label}" are launched one kernel at a time, not as CUDA graphs '
                    f"({pl_module.graphs.failure})"
                )
            )

    def _advance(self, module: pl.LightningModule) -> None:
        assert isinstance(module, ReplicaTraining)
        solved, running = module.outcomes.solved, module.running
        rows = [slice(share.start, share.stop) for share in self._block.shares]
        self._tell(
            Advance(
                module.finished_steps,
                tuple(int(solved[own].sum()) for own in rows),
                tuple(int(running[own].sum()) for own in rows),
            )
        )


def pass_on(news: News, block: SharedBlock, listener: Listener) -> None:
    """Tell a listener what was said of a block."""
    if isinstance(news, Remark):
        listener.note(news.text)
        return
    for share, solved, running in zip(block.shares, news.solved, news.running, strict=True):
        listener.block_advanced(
            BlockProgress(
                share.cell,
                earlier=share.numbers[0],
                replicas=len(share.numbers),
                steps=news.steps,
                solved=solved,
                running=running,
            )
        )


def relay_to(listener: Listener, block: SharedBlock) -> ProgressRelay:
    """A relay to a listener of this process."""
    return ProgressRelay(lambda news: pass_on(news, block, listener), block)
