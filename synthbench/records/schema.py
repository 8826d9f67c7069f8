"""The record of a cell: everything needed to read its result and to run it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
from pydantic import Field

from synthbench.contracts.frozen import Frozen
from synthbench.hashing import HASH
from synthbench.metrics.ceiling import OPTIMAL, is_higher_better
from synthbench.metrics.score_names import base_name, set_name
from synthbench.metrics.summary import Summary
from synthbench.metrics.time_to_target import Target
from synthbench.plan.suite_reference import SuiteReference
from synthbench.records.hashed import Hashed

ReferenceScore: TypeAlias = "float | Sequence[float | None] | None"
"""What a reference scores: a number, or a curve, null where that is undefined."""


class Distribution(Frozen):
    """An installed plugin that took part."""

    plugin: str
    distribution: str
    version: str


class Environment(Frozen):
    """The software and the machine that produced the result."""

    synthbench: str
    python: str
    torch: str
    pytorch_lightning: str
    platform: str
    device: str
    """Type of the device: cpu, cuda, mps."""
    device_name: str
    libraries: dict[str, str] = Field(default={}, exclude_if=lambda value: not value)
    """Versions of the libraries that the task's tables and fitted references come from."""
    threads: int = Field(ge=1)
    """CPU threads of torch; on CPU the last bits depend on them."""
    torch_settings: dict[str, bool] = Field(default={}, exclude_if=lambda value: not value)
    """Switches of torch that were not at their defaults and choose other kernels or roundings."""
    tf32: tuple[Literal["matmul", "convolution"], ...] | None = Field(
        default=None, exclude_if=lambda value: value is None
    )
    """What a GPU computed in TF32 where numbers are float32; null on other devices."""
    plugins: tuple[Distribution, ...]

    def trains_as(self, other: Environment) -> bool:
        """Whether nothing but the plugins differs, which are told apart by their code."""
        return self.model_copy(update={"plugins": other.plugins}) == other


class Compute(Frozen):
    """What the training cost."""

    parameters: int
    """Trainable numbers of one replica."""
    step_flops: int
    """FLOPs of one replica's forward and backward pass on one batch."""
    replicas_per_block: int
    """Replicas trained at once (the last block may have been narrower after a memory error)."""
    looped: str | None
    """Why replicas were trained one at a time; null when they were stacked."""
    way: Literal["traced", "stacked", "plain"] | None = Field(
        default=None, exclude_if=lambda value: value is None
    )
    """How replicas were trained: stacked and recorded, stacked, or as plain modules."""
    executor: Literal["replayed", "compiled"] | None = Field(
        default=None, exclude_if=lambda value: value is None
    )
    """How recorded steps were executed; null where none were, and in older records of replays."""
    cuda_graphs: bool | None = Field(default=None, exclude_if=lambda value: value is None)
    """Whether steps and scores ran as CUDA graphs; null where they are never captured."""
    replica_steps: int
    """Optimizer steps over all replicas, counted up to each replica's last evaluation."""
    wall_seconds: float
    """Time spent training and evaluating, over all sessions."""
    batch_size: int | None = Field(default=None, ge=1, exclude_if=lambda value: value is None)
    """Samples per step where the recipe's batch is the full training set; else the recipe's."""
    state_size: int | None = Field(default=None, ge=0, exclude_if=lambda value: value is None)
    """Numbers carried from one position of a sequence to the next; null where that is unknown."""

    def seconds_of(self, replica_steps: int) -> float:
        """The share of the time that some of the steps took, as if all had taken equally long."""
        return self.wall_seconds * replica_steps / max(self.replica_steps, 1)


class ReplicaRecord(Frozen):
    """One replica: its seeds, how it ended, and what the references score on its samples."""

    replica: int
    seeds: dict[str, int]
    data: str = Field(pattern=HASH)
    """SHA-256 of its hidden truth, first training batch and first held-out batch."""
    outcome: Literal["solved", "censored", "diverged"]
    samples_to_target: int | None
    references: dict[str, dict[str, float | list[float | None] | None]]
    """Reference -> column -> its score, or its curve, null where that is undefined."""


class EarlierReplicas(Frozen):
    """Replicas that were trained at another time, with other software or on another machine."""

    replicas: tuple[int, ...]
    created: str
    """UTC time of the record from which they were taken over, ISO 8601."""
    environment: Environment


def earlier_below(count: int, parts: Sequence[EarlierReplicas]) -> tuple[EarlierReplicas, ...]:
    """The parts of replicas with numbers below `count`, where there are any."""
    own = [
        part.model_copy(update={"replicas": tuple(r for r in part.replicas if r < count)})
        for part in parts
    ]
    return tuple(part for part in own if part.replicas)


class Record(Hashed):
    """One finished cell; `record.json` in its folder."""

    schema_version: Literal[2] = 2
    plan: dict[str, Any]
    """Full configuration of task, model, probes and protocol."""
    plan_hash: str = Field(pattern=HASH)
    """SHA-256 of the plan's canonical JSON."""
    task: str
    """The task's reference, as one types it."""
    model: str
    """The model's reference."""
    suite: SuiteReference | None
    created: str
    """UTC time at which the record was written, ISO 8601."""
    environment: Environment
    compute: Compute
    replicas: tuple[ReplicaRecord, ...]
    summary: Summary
    files: dict[str, str]
    """SHA-256 of each data file beside the record."""
    sources: dict[str, str] = Field(default={}, exclude_if=lambda value: not value)
    """SHA-256 of the weights that the cell's teacher, start and mask gave, where it has any."""
    earlier: tuple[EarlierReplicas, ...] = Field(default=(), exclude_if=lambda value: not value)
    """Replicas whose environment is not that of the record."""

    @property
    def task_plan(self) -> dict[str, Any]:
        """Name, version and fields of the task."""
        return dict(self.plan["task"])

    @property
    def model_plan(self) -> dict[str, Any]:
        """Name, version, fields and recipe of the model."""
        return dict(self.plan["model"])

    @property
    def recipe(self) -> dict[str, Any]:
        """How the model was trained."""
        return dict(self.model_plan["recipe"])

    @property
    def protocol(self) -> dict[str, Any]:
        """What was spent and how the cell was measured."""
        return dict(self.plan["protocol"])

    @property
    def probes(self) -> tuple[str, ...]:
        """Names of the probes."""
        return tuple(probe["name"] for probe in self.plan["probes"])

    @property
    def batch_size(self) -> int:
        """Samples per optimizer step."""
        own = self.compute.batch_size
        return int(self.recipe["batch_size"]) if own is None else own

    @property
    def flops_per_sample(self) -> float:
        """FLOPs of one replica's forward and backward pass on one sample."""
        return self.compute.step_flops / self.batch_size

    @property
    def budget(self) -> int:
        """Training samples per replica."""
        return int(self.protocol["budget"])

    @property
    def steps(self) -> int:
        """Optimizer steps that the budget pays for."""
        return self.budget // self.batch_size

    @property
    def target(self) -> Target:
        """What counts as solved: the task's progress, or its score where it names one.

        A score of the task's is that of its ranked score, on whatever test set.
        """
        task, hold = self.task_plan, self.protocol["hold"]
        raw, ranked = task.get("target_score"), self.summary.score
        if raw is None or base_name(ranked) != base_name(self.ranked):
            return Target(task["target"], hold, self.budget)
        levels = self.levels(ranked)
        ends = [(s.get("trivial", np.nan), s.get(self.ceiling, np.nan)) for s in levels]
        higher = is_higher_better(ends)
        return Target(task["target"], hold, self.budget, raw, higher)

    @property
    def ceiling(self) -> str:
        """The reference at which progress is 1."""
        return str(self.plan.get("ceiling", OPTIMAL))

    @property
    def ranked(self) -> str:
        """The score by which the cell was trained and stopped."""
        return str(self.protocol.get("score") or next(iter(self.replicas[0].references["trivial"])))

    @property
    def scores(self) -> list[str]:
        """The scores that are numbers, on every test set: those on another are `score@name`."""
        trivial = self.replicas[0].references["trivial"]
        return [name for name, score in trivial.items() if isinstance(score, float)]

    @property
    def test_sets(self) -> list[str]:
        """Names of the test sets; that of the first is empty."""
        return list(dict.fromkeys(set_name(name) for name in self.scores))

    def trained_elsewhere(
        self, here: Environment, numbers: Mapping[int, int]
    ) -> list[EarlierReplicas]:
        """Which of its replicas were trained in another environment than one, and where.

        numbers: of the replicas that are meant, as they are to be called.
        """
        left = dict(numbers)
        parts = [
            part.model_copy(
                update={"replicas": tuple(left.pop(row) for row in part.replicas if row in left)}
            )
            for part in self.earlier
        ]
        rest = tuple(sorted(left.values()))
        own = EarlierReplicas(replicas=rest, created=self.created, environment=self.environment)
        return [p for p in (*parts, own) if p.replicas and not p.environment.trains_as(here)]

    def levels(self, score: str) -> list[dict[str, float]]:
        """For each replica, what each reference scores, where it has that score."""
        return [
            {
                name: level
                for name, scores in replica.references.items()
                if isinstance(level := scores.get(score), float)
            }
            for replica in self.replicas
        ]

    def mean_levels(self, score: str) -> dict[str, float]:
        """What each reference scores on average over the replicas, where all have that score."""
        levels = self.levels(score)
        shared = [name for name in levels[0] if all(name in level for level in levels)]
        return {name: float(np.mean([level[name] for level in levels])) for name in shared}

    def scale(self, score: str) -> list[tuple[float, float]]:
        """For each replica, what the trivial reference and the ceiling score: progress 0 and 1."""
        return [(level["trivial"], level[self.ceiling]) for level in self.levels(score)]
