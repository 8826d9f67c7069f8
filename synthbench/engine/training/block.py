"""Training one block: the replicas that share one set of stacked tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytorch_lightning as pl
from numpy.typing import NDArray
from pytorch_lightning.loggers import Logger

from synthbench.engine.axis.state import State
from synthbench.engine.axis.way import Execution
from synthbench.engine.training.callbacks import check_callbacks
from synthbench.engine.training.cell_functions import CellFunctions
from synthbench.engine.training.checkpoints import AtomicCheckpointIO, PeriodicCheckpoint
from synthbench.engine.training.inheritance import Inherited
from synthbench.engine.training.interruption import Interruption
from synthbench.engine.training.lightning import OneProcess, lightning_alone, trainer_flags
from synthbench.engine.training.replica_training import ReplicaTraining
from synthbench.errors import ConfigurationError
from synthbench.metrics.arrow_columns import nullable_column
from synthbench.plan.cell import Cell, ReplicaSeeds

Loggers = Logger | Sequence[Logger] | bool


@dataclass(frozen=True)
class TrainerOptions:
    """Lightning's own flags: accelerator, callbacks, logger; and how often to checkpoint.

    Raises ConfigurationError for a callback that changes or stops the training.
    """

    accelerator: str = "auto"
    callbacks: tuple[pl.Callback, ...] = ()
    logger: Loggers = False
    checkpoint_seconds: float = 30.0

    def __post_init__(self) -> None:
        check_callbacks(self.callbacks)


@dataclass(frozen=True)
class Block:
    """Some replicas of a cell: index of the first, their seeds, and the width to train at.

    A block narrower than `width` is padded with copies of its first replica, so that all
    blocks of a cell run the same kernels and a replica's bits do not depend on its block.
    inherited: what the padded replicas take over from other cells. kept_steps: the evaluations
    whose weights are kept, beside the last.
    """

    first: int
    seeds: tuple[ReplicaSeeds, ...]
    width: int
    inherited: Inherited | None = field(default=None, compare=False)
    kept_steps: tuple[int, ...] = ()

    def padded(self) -> list[ReplicaSeeds]:
        """The seeds, filled up to the width."""
        return [*self.seeds, *[self.seeds[0]] * (self.width - len(self.seeds))]

    def rows(self) -> list[int]:
        """The cell's numbers of the padded replicas."""
        count = len(self.seeds)
        return [*range(self.first, self.first + count), *[self.first] * (self.width - count)]


References = dict[str, dict[str, float | list[float | None] | None]]
"""Reference -> column -> what it scores, a number or a curve; None where that is undefined."""


@dataclass(frozen=True)
class BlockResult:
    """What a block's replicas measured; lists and arrays run over its replicas.

    snapshots: `STEP/NAME` -> weights at the evaluations that are kept.
    """

    table: pa.Table
    references: list[References]
    diverged: list[bool]
    weights: State
    seconds: float
    snapshots: State = field(default_factory=dict)


NARROWEST = 2
"""A stack of one replica rounds its reductions differently: torch drops the axis of length 1."""


def split_blocks(
    seeds: Sequence[ReplicaSeeds], widest: int, first: int = 0, stacked: bool = True
) -> list[Block]:
    """Split replicas into equal blocks of at most `widest`; a stack is never narrower than two.

    stacked: False for plain modules, each of which is as it would be alone.
    """
    widest = max(widest, NARROWEST if stacked else 1)
    count = -(-len(seeds) // widest)
    width = max(-(-len(seeds) // count), NARROWEST if stacked else 1)
    parts = [tuple(seeds[i : i + width]) for i in range(0, len(seeds), width)]
    return [
        Block(first + width * i, part, width if stacked else len(part))
        for i, part in enumerate(parts)
    ]


def train_block(
    cell: Cell,
    block: Block,
    options: TrainerOptions,
    execution: Execution,
    checkpoint: Path,
    functions: CellFunctions | None = None,
) -> BlockResult:
    """Train a block to its end, continuing from `checkpoint` if that file exists."""
    module = ReplicaTraining(
        cell, block.padded(), execution, functions, block.inherited, block.kept_steps
    )
    interruption = Interruption()
    with lightning_alone():
        trainer = pl.Trainer(
            accelerator=options.accelerator,
            precision=cell.protocol.precision,
            max_epochs=-1,
            logger=options.logger,
            callbacks=[
                *options.callbacks,
                interruption,
                PeriodicCheckpoint(checkpoint, options.checkpoint_seconds),
            ],
            plugins=[OneProcess(), AtomicCheckpointIO()],
            # Where Lightning looks for checkpoints that a scheduler made it write.
            default_root_dir=checkpoint.parent,
            num_sanity_val_steps=0,
            # Probes differentiate, which inference mode forbids.
            inference_mode=False,
            **trainer_flags(),
        )
        resume = str(checkpoint) if checkpoint.exists() else None
        with interruption.handled(trainer):
            trainer.fit(module, ckpt_path=resume, weights_only=True)
    if module.outcomes.running.any():
        raise ConfigurationError(
            f"training was stopped at step {module.finished_steps} while replicas were running; "
            "remove the callback that stops it (SynthBench stops each replica itself)"
        )
    return _result(module, block)


def _result(module: ReplicaTraining, block: Block) -> BlockResult:
    count, last = len(block.seeds), module.outcomes.last
    columns: dict[str, list[Any]] = {"replica": [], "step": []}
    columns |= {name: [] for name in module.measurements[0].columns}
    for r in range(count):
        for index in range(int(last[r]) + 1):
            columns["replica"].append(block.first + r)
            columns["step"].append(module.points[index])
            for name, values in module.measurements[index].columns.items():
                columns[name].append(values[r])
    references = [
        {ref: {m: _plain(v[r]) for m, v in scores.items()} for ref, scores in refs.items()}
        for r in range(count)
        for refs in [module.reference_scores]
    ]
    return BlockResult(
        table=pa.table({n: nullable_column(np.asarray(v)) for n, v in columns.items()}),
        references=references,
        diverged=module.outcomes.diverged[:count].tolist(),
        weights={name: tensor[:count] for name, tensor in module.final.items()},
        seconds=module.seconds,
        snapshots={name: tensor[:count] for name, tensor in module.snapshots.items()},
    )


def _plain(score: NDArray[np.float64]) -> float | list[float | None] | None:
    """A number () or a curve (T,) as JSON has it."""
    if score.ndim:
        return [None if np.isnan(value) else float(value) for value in score]
    return None if np.isnan(score) else float(score)
