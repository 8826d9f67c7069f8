"""A short training of a block, to see what the whole one will take."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytorch_lightning as pl
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from synthbench.engine.axis.building import build_modules
from synthbench.engine.axis.replicas import stack_modules
from synthbench.engine.axis.way import Execution
from synthbench.engine.training.block import Block
from synthbench.engine.training.block_training import TrainerOptions, train_block
from synthbench.engine.training.cell_functions import CellFunctions
from synthbench.engine.training.inheritance import Inherited
from synthbench.engine.training.teaching import teacher_of
from synthbench.evaluation.progress_relay import relay_to
from synthbench.evaluation.shared_block import SharedBlock
from synthbench.listeners.cell_tally import CellTally
from synthbench.listeners.listener import BlockProgress, PlannedCell, Silent
from synthbench.plan.cell import Cell
from synthbench.plan.sources import moments_of

FIRST_STEPS = 8
"""How many are tried at first, to see how many make a measurement."""
REHEARSAL_SECONDS = 1.0
"""About how long the second training takes, which is measured."""


@dataclass(frozen=True)
class Rehearsal:
    """What was measured of a block.

    step, evaluation: seconds of one replica. first, again: seconds until the first step of the
    first block is done, and of a later one. held: bytes of parameters, gradients and optimizer
    state. peak: bytes of the device's memory in all; None on a CPU.
    """

    step: float
    evaluation: float
    first: float
    again: float
    held: int
    peak: int | None


def rehearse(
    cell: Cell,
    block: Block,
    accelerator: str,
    execution: Execution,
    functions: CellFunctions | None,
) -> Rehearsal:
    """Train a block for some steps, in a folder that is gone afterwards.

    functions: of the cell's stacks; None for plain modules. Masks and weights to start from are
    left out, which cost nothing; teachers are untrained networks.
    """
    bare = replace(cell, start=None, mask=None)
    block = replace(block, inherited=_inherited(cell, block), kept_steps=())
    part = _Part(bare, block, accelerator, execution, functions)
    tried, _ = part.train(min(FIRST_STEPS, cell.steps))
    step = (tried.step_seconds or 0.0) * len(block.seeds)
    most = int(REHEARSAL_SECONDS / step) if step else cell.steps
    longer, weighed = part.train(min(max(most, FIRST_STEPS), cell.steps))
    step = longer.step_seconds or tried.step_seconds or 0.0
    return Rehearsal(
        step=step,
        evaluation=longer.evaluation_cost * step,
        first=tried.setup,
        again=longer.setup,
        held=weighed.held,
        peak=weighed.peak,
    )


@dataclass(frozen=True)
class _Part:
    """Trains a block for fewer steps than the cell has."""

    cell: Cell
    block: Block
    accelerator: str
    execution: Execution
    functions: CellFunctions | None

    def train(self, steps: int) -> tuple[CellTally, _Weighing]:
        """What was heard of so many steps, evaluated each time their number has doubled."""
        changes = {"budget": steps * self.cell.batch_size, "until": "budget", "resolution": 1.0}
        protocol = self.cell.protocol.model_copy(update=changes)
        short = replace(self.cell, protocol=protocol)
        timing, weighing = _Timing(short), _Weighing()
        relay = relay_to(timing, SharedBlock.of(self.cell, self.block))
        options = TrainerOptions(self.accelerator, (relay, weighing))
        with TemporaryDirectory() as folder:
            checkpoint = Path(folder) / "block.ckpt"
            train_block(short, self.block, options, self.execution, checkpoint, self.functions)
        return timing.tally, weighing


class _Timing(Silent):
    """Keeps the tally of one cell."""

    def __init__(self, cell: Cell) -> None:
        self.tally = CellTally(PlannedCell(cell, 0), 1)
        self.tally.start(time.monotonic())

    def block_advanced(self, progress: BlockProgress) -> None:
        """Count, once a GPU has done what it was told: steps must not pass for an evaluation."""
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        self.tally.advance(progress, time.monotonic())


class _Weighing(pl.Callback):
    """Looks at how much memory a training holds."""

    held = 0
    peak: int | None = None

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Forget what other trainings took."""
        if pl_module.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(pl_module.device)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Weigh what is there at the end."""
        trained = _bytes_of(list(pl_module.parameters()))
        states = [optimizer.state_dict()["state"] for optimizer in trainer.optimizers]
        self.held = 2 * trained + _bytes_of(list(pl_module.buffers())) + _bytes_of(states)
        if pl_module.device.type == "cuda":
            self.peak = torch.cuda.max_memory_allocated(pl_module.device)


def _bytes_of(tree: Any) -> int:
    return sum(leaf.nbytes for leaf in tree_leaves(tree) if isinstance(leaf, Tensor))


def _inherited(cell: Cell, block: Block) -> Inherited:
    """Teachers as they are before they are trained."""
    teacher = teacher_of(cell)
    if teacher is None:
        return Inherited()
    model, interface = teacher.cell.model, teacher.cell.interface
    modules = build_modules(model, interface, [seeds.init for seeds in block.padded()])
    stacked = stack_modules(model, modules, interface)
    state = {**stacked.parameters, **stacked.buffers}
    return Inherited(teachers=(state,) * len(moments_of(teacher)))
