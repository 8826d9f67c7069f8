"""Replicas that were trained for an earlier cell, and what the record of a new one says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthbench.engine.axis.way import Executor, Way
from synthbench.evaluation.begun_replicas import BegunReplicas
from synthbench.evaluation.kept_replicas import KeptReplicas
from synthbench.evaluation.training_choice import TrainingChoice
from synthbench.records import Record
from synthbench.records.schema import EarlierReplicas, Environment


@dataclass(frozen=True)
class TakenOver:
    """Replicas of finished cells: those that are finished under a plan, and those that go on."""

    finished: tuple[KeptReplicas, ...] = ()
    begun: tuple[BegunReplicas, ...] = ()

    @property
    def finished_replicas(self) -> int:
        """How many need no training."""
        return sum(len(each.block.seeds) for each in self.finished)


def choice_of(record: Record) -> TrainingChoice:
    """How the replicas of a record were trained."""
    compute = record.compute
    way = compute.way or ("plain" if compute.looped else "traced")
    executor = compute.executor or "replayed"
    threads = record.environment.threads
    return TrainingChoice(Way(way), compute.replicas_per_block, Executor(executor), threads)


def earlier_replicas(
    kept: Sequence[KeptReplicas], environment: Environment
) -> list[EarlierReplicas]:
    """Those that were trained elsewhere: on another machine, with other software or threads.

    environment: of the replicas that are trained now.
    """
    return [
        part
        for each in kept
        for part in each.record.trained_elsewhere(
            environment, dict(zip(each.rows, each.block.replicas, strict=True))
        )
    ]
