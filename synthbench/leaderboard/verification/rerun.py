"""Training some replicas of a recorded cell again."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from synthbench.engine.axis.compiling import CannotCompile, executing
from synthbench.engine.axis.memory import with_less_memory
from synthbench.engine.axis.way import Execution, Executor, Way
from synthbench.engine.data.fingerprints import data_fingerprints
from synthbench.engine.inspection.cell import CellFacts, inspect_cell
from synthbench.engine.inspection.ways import Ways
from synthbench.engine.training.block import NARROWEST, Block, split_blocks
from synthbench.engine.training.block_training import BlockResult, TrainerOptions, train_block
from synthbench.engine.training.cell_functions import stacked_functions
from synthbench.engine.training.device import find_device
from synthbench.evaluation.progress_relay import ProgressRelay, relay_to
from synthbench.evaluation.record_writing import describe_environment
from synthbench.evaluation.shared_block import SharedBlock
from synthbench.isolation import isolated
from synthbench.isolation.threads import threads
from synthbench.leaderboard.verification.nudge import Nudge
from synthbench.listeners.listener import Listener
from synthbench.metrics.trajectories import Trajectories
from synthbench.plan.cell import Cell, ReplicaSeeds
from synthbench.records import Record
from synthbench.records.schema import Compute, Environment, ReferenceScore
from synthbench.registry.participants import participants


@dataclass(frozen=True)
class Rerun:
    """Some replicas trained again, here.

    replicas: their numbers in the record. trajectories: theirs, numbered 0, 1, ... in that
    order; references, data: of each, in that order too. way, executor: how they were trained.
    """

    replicas: tuple[int, ...]
    trajectories: Trajectories
    references: Sequence[Mapping[str, Mapping[str, ReferenceScore]]]
    data: list[str]
    facts: CellFacts
    state_size: int | None
    environment: Environment
    way: Way
    executor: Executor


@isolated()
def rerun_replicas(
    cell: Cell,
    replicas: Sequence[int],
    accelerator: str,
    listener: Listener,
    record: Record,
    nudge: int | None = None,
) -> Rerun:
    """Train some replicas of a cell to their end, as those of the record were.

    nudge: a seed, by which the last bits of the weights are changed as they train.
    """
    # A record may claim any number, and a machine can start only so many.
    with threads(min(record.environment.threads, os.cpu_count() or 1)):
        return _rerun(cell, replicas, accelerator, listener, record.compute, nudge)


def _rerun(
    cell: Cell,
    replicas: Sequence[int],
    accelerator: str,
    listener: Listener,
    compute: Compute,
    nudge: int | None,
) -> Rerun:
    device: torch.device = find_device(accelerator)
    facts = inspect_cell(cell)
    every = cell.replica_seeds()
    seeds = [every[replica] for replica in replicas]
    listener.cell_started(cell)
    execution = Execution(_way(facts.ways, compute), facts.ways.draws)
    own = () if nudge is None else (Nudge(nudge),)
    train = partial(_train, cell, seeds, accelerator, (listener, own))
    widest = min(compute.replicas_per_block, len(seeds))
    results, executor = _executed(train, execution, widest, compute)
    return Rerun(
        replicas=tuple(replicas),
        trajectories=Trajectories.from_blocks(
            [result.table for result in results], cell.batch_size, facts.step_flops
        ),
        references=[scores for result in results for scores in result.references],
        data=data_fingerprints(cell, seeds),
        facts=facts,
        state_size=cell.model.state_size(cell.interface),
        environment=describe_environment(device, participants(cell, (), None), cell.task.libraries),
        way=execution.way,
        executor=executor,
    )


def _executed(
    train: Callable[[Execution, int], list[BlockResult]],
    execution: Execution,
    widest: int,
    compute: Compute,
) -> tuple[list[BlockResult], Executor]:
    """Train with the record's executor or, where that cannot be, replay what is recorded."""
    if compute.executor == "compiled":
        try:
            compiled = partial(train, replace(execution, executor=Executor.COMPILED))
            return with_less_memory(compiled, widest, NARROWEST), Executor.COMPILED
        except CannotCompile:
            pass
    return with_less_memory(partial(train, execution), widest, NARROWEST), Executor.REPLAYED


def recorded_way(compute: Compute) -> Way:
    """How the record's replicas were trained; older ones knew two ways, and name none."""
    return Way(compute.way or (Way.PLAIN if compute.looped else Way.TRACED))


def _way(ways: Ways, compute: Compute) -> Way:
    """That of the record where it is right here."""
    recorded = recorded_way(compute)
    return recorded if recorded in ways.right else ways.right[0]


def _train(
    cell: Cell,
    seeds: Sequence[ReplicaSeeds],
    accelerator: str,
    listening: tuple[Listener, tuple[Nudge, ...]],
    execution: Execution,
    widest: int,
) -> list[BlockResult]:
    stacked = execution.way is not Way.PLAIN
    execute = executing(execution.executor)
    functions = stacked_functions(cell, execution.way, execute) if stacked else None
    results = []
    listener, own = listening
    with TemporaryDirectory() as folder:
        for block in split_blocks(seeds, widest, stacked=stacked):
            options = TrainerOptions(accelerator, (*own, _relay(listener, cell, block)))
            checkpoint = Path(folder) / f"{block.first}.ckpt"
            results.append(train_block(cell, block, options, execution, checkpoint, functions))
    return results


def _relay(listener: Listener, cell: Cell, block: Block) -> ProgressRelay:
    return relay_to(listener, SharedBlock.of(cell, block))
