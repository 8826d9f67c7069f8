"""Training one block: the replicas that share one set of stacked tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytorch_lightning as pl
from numpy.typing import NDArray
from pytorch_lightning.loggers import Logger

from synthbench.engine.axis.memory import free_gpu_memory
from synthbench.engine.axis.state import State
from synthbench.engine.axis.way import Execution
from synthbench.engine.training.block import Block
from synthbench.engine.training.callbacks import check_callbacks
from synthbench.engine.training.cell_functions import CellFunctions
from synthbench.engine.training.checkpoints import AtomicCheckpointIO, PeriodicCheckpoint
from synthbench.engine.training.interruption import Interruption
from synthbench.engine.training.lightning import OneProcess, lightning_alone, trainer_flags
from synthbench.engine.training.replica_training import ReplicaTraining
from synthbench.engine.training.training_state import TrainingState
from synthbench.errors import ConfigurationError
from synthbench.hashing import is_damaged
from synthbench.metrics.arrow_columns import nullable_column
from synthbench.plan.cell import Cell

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


References = dict[str, dict[str, float | list[float | None] | None]]
"""Reference -> column -> what it scores, a number or a curve; None where that is undefined."""


@dataclass(frozen=True)
class BlockResult:
    """What a block's replicas measured; lists and arrays run over its replicas.

    snapshots: `STEP/NAME` -> weights at the evaluations that are kept. graphs: whether steps and
    scores were CUDA graphs; None where they were not to be. state: of those that trained to the
    end of the budget, where that is kept.
    """

    table: pa.Table
    references: list[References]
    diverged: list[bool]
    weights: State
    seconds: float
    snapshots: State = field(default_factory=dict)
    graphs: bool | None = None
    state: TrainingState | None = None

    def rows(self, start: int, stop: int, numbers: Sequence[int]) -> BlockResult:
        """Those of places start, ..., stop - 1 in the block, with these numbers in their cell.

        The block's time is shared among its replicas.
        """
        # Every replica has rows, and those of one place lie together.
        before, places = np.unique(self.table["replica"].to_numpy(), return_inverse=True)
        inside = (places >= start) & (places < stop)
        table = self.table.filter(pa.array(inside))
        renumbered = np.asarray(numbers)[places[inside] - start]
        place = table.schema.get_field_index("replica")
        return BlockResult(
            table=table.set_column(place, "replica", pa.array(renumbered)),
            references=self.references[start:stop],
            diverged=self.diverged[start:stop],
            weights={name: tensor[start:stop] for name, tensor in self.weights.items()},
            seconds=self.seconds * (stop - start) / len(self.diverged),
            snapshots={name: tensor[start:stop] for name, tensor in self.snapshots.items()},
            graphs=self.graphs,
            state=self._state_of(dict(zip(before[start:stop].tolist(), numbers, strict=True))),
        )

    def _state_of(self, numbers: Mapping[int, int]) -> TrainingState | None:
        """numbers: of some replicas, as they are to be."""
        if self.state is None:
            return None
        places = [i for i, number in enumerate(self.state.replicas) if number in numbers]
        return self.state.rows(places, [numbers[self.state.replicas[i]] for i in places])


def train_block(
    cell: Cell,
    block: Block,
    options: TrainerOptions,
    execution: Execution,
    checkpoint: Path,
    functions: CellFunctions | None = None,
) -> BlockResult:
    """Train a block to its end, continuing from `checkpoint` if that file exists."""
    # The last block's, which may have failed for want of memory.
    free_gpu_memory()
    module = ReplicaTraining(cell, block, execution, functions)
    interruption = Interruption()
    with lightning_alone():
        trainer = pl.Trainer(
            accelerator=options.accelerator,
            precision=cell.protocol.precision,
            max_epochs=-1,
            logger=options.logger,
            callbacks=[
                *options.callbacks,
                PeriodicCheckpoint(checkpoint, options.checkpoint_seconds, interruption),
                interruption,
            ],
            plugins=[OneProcess(), AtomicCheckpointIO()],
            # Where Lightning looks for checkpoints that a scheduler made it write.
            default_root_dir=checkpoint.parent,
            num_sanity_val_steps=0,
            # Probes differentiate, which inference mode forbids.
            inference_mode=False,
            **trainer_flags(),
        )
        # Of a worker that was lost it has not been looked at yet.
        sound = checkpoint.exists() and not is_damaged(checkpoint)
        resume = str(checkpoint) if sound else None
        with interruption.handled(trainer):
            trainer.fit(module, ckpt_path=resume, weights_only=True)
    if module.running.any():
        raise ConfigurationError(
            f"training was stopped at step {module.finished_steps} while replicas were running; "
            "remove the callback that stops it (SynthBench stops each replica itself)"
        )
    return _result(module, block)


def _result(module: ReplicaTraining, block: Block) -> BlockResult:
    history, count = module.history, len(block.seeds)
    columns: dict[str, list[Any]] = {"replica": [], "step": []}
    columns |= {name: [] for name in history.measurements[0].columns}
    for r in range(count):
        for index in range(int(history.outcomes.last[r]) + 1):
            columns["replica"].append(block.replicas[r])
            columns["step"].append(history.points[index])
            for name, values in history.measurements[index].columns.items():
                columns[name].append(values[r])
    references = [
        {ref: {m: _plain(v[r]) for m, v in scores.items()} for ref, scores in refs.items()}
        for r in range(count)
        for refs in [module.reference_scores]
    ]
    return BlockResult(
        table=pa.table({n: nullable_column(np.asarray(v)) for n, v in columns.items()}),
        references=references,
        diverged=history.outcomes.diverged[:count].tolist(),
        weights={name: tensor[:count] for name, tensor in history.final.items()},
        seconds=module.seconds,
        snapshots={name: tensor[:count] for name, tensor in history.snapshots.items()},
        graphs=module.graphs.used,
        state=_numbered(module.state, block),
    )


def _numbered(state: TrainingState | None, block: Block) -> TrainingState | None:
    if state is None:
        return None
    numbers = [block.replicas[place] for place in state.replicas]
    return state.rows(range(len(numbers)), numbers)


def _plain(score: NDArray[np.float64]) -> float | list[float | None] | None:
    """A number () or a curve (T,) as JSON has it."""
    if score.ndim:
        return [None if np.isnan(value) else float(value) for value in score]
    return None if np.isnan(score) else float(score)
