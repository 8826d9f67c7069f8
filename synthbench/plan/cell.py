"""A cell: one task, one model and the protocol that says how it is measured."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from synthbench.contracts.interface import Interface
from synthbench.contracts.model import Model
from synthbench.contracts.probe import Probe
from synthbench.contracts.task import Task
from synthbench.errors import ConfigurationError, TaskError
from synthbench.hashing import content_hash
from synthbench.plan.growth import configuration_hash
from synthbench.plan.protocol import Protocol
from synthbench.plan.schedule import evaluation_steps
from synthbench.plan.sources import LAST, At, Mask, Source, Teacher, Weights, moments_of
from synthbench.plan.task_facts import (
    check_test_sets,
    fixed_input_hashes,
    has_curriculum,
    longest_interface,
    own_train_rows,
)

PLAN_VERSION = 1
MAX_STEPS = 2**32 - 1


@dataclass(frozen=True)
class ReplicaSeeds:
    """The seed of each stream of one replica; normally all the same."""

    init: int
    world: int
    train: int
    eval: int
    probe: int

    @classmethod
    def same(cls, seed: int) -> ReplicaSeeds:
        """One seed for every stream."""
        return cls(seed, seed, seed, seed, seed)


@dataclass(frozen=True)
class Cell:
    """What is trained and how: everything that decides the numbers, and nothing else.

    teacher, start, mask: other cells whose weights go to the replicas of the same numbers.
    """

    task: Task
    model: Model
    protocol: Protocol
    probes: tuple[Probe, ...] = ()
    teacher: Teacher[Cell] | None = None
    start: Weights[Cell] | None = None
    mask: Mask[Cell] | None = None

    def __post_init__(self) -> None:
        """Refuse a source that names anything but a cell."""
        for name, source in self.sources().items():
            if not isinstance(source.cell, Cell):
                raise ConfigurationError(
                    f"{name} of a Cell names a Cell, got {source.cell!r}; `evaluate` also takes "
                    "a CellResult or a model's reference"
                )

    def check(self) -> None:
        """Raise before anything trains when the parts do not fit together.

        Raises InterfaceError for a model that cannot take the task, ConfigurationError for
        an unknown loss, a budget below one batch or an uneven evaluation set.
        """
        self.model.check_accepts(self.task.interface)
        check_test_sets(self.task, self.model)
        losses = self.task.losses()
        loss = self.model.training_loss(losses)
        if loss not in losses:
            raise ConfigurationError(
                f'task "{self.task.name}" has no loss "{loss}" (losses: {", ".join(losses)})'
            )
        self._check_training_set()
        protocol, batch_size = self.protocol, self.batch_size
        if protocol.budget < batch_size:
            raise ConfigurationError(
                f"budget = {protocol.budget} samples is below one batch of {batch_size}"
            )
        if self.steps > MAX_STEPS:
            raise ConfigurationError(f"budget must be at most 2^32 - 1 steps, got {self.steps}")
        drawn = any(each.sample is not None for each in self.task.test_sets().values())
        if drawn and protocol.evaluation_samples % protocol.evaluation_batch:
            raise ConfigurationError(
                f"evaluation_samples = {protocol.evaluation_samples} must be a multiple of "
                f"evaluation_batch = {protocol.evaluation_batch}"
            )
        if protocol.first_seed + protocol.seeds > 2**64:
            raise ConfigurationError("seeds must be below 2^64; take a smaller first_seed")
        if self.train_rows is not None and self.train_rows < batch_size:
            where = "the training set of" if protocol.train_samples is None else "train_samples ="
            raise ConfigurationError(
                f"{where} {self.train_rows} is below one batch of {batch_size}; take a smaller "
                "batch_size, or batch_size=full"
            )
        rows = protocol.initializations
        if rows is not None and (protocol.seeds % rows or protocol.seeds < 2 * rows):
            nearest = rows * max(protocol.seeds // rows, 2)
            raise ConfigurationError(
                f"seeds = {protocol.seeds} must be initializations = {rows} times the number of "
                f"data streams, two or more; for example seeds = {nearest}"
            )
        names = [probe.name for probe in self.probes]
        if len(set(names)) < len(names):
            raise ConfigurationError(f"a probe is named twice: {', '.join(names)}")

    def _check_training_set(self) -> None:
        wanted, rows = self.protocol.train_samples, self._own_rows
        if rows is not None and has_curriculum(self.task):
            raise TaskError(
                f'task "{self.task.label()}" has a train_set and sample_at, and only rows of the '
                "former would be trained on; leave one of them out"
            )
        if rows is not None and wanted is not None and wanted > rows:
            raise ConfigurationError(
                f"train_samples = {wanted}, but the training set of {self.task.label()} has "
                f"{rows} rows; ask for fewer, or leave it out"
            )
        if self.model.recipe.batch_size == "full" and self.train_rows is None:
            raise ConfigurationError(
                f"batch_size=full needs a finite training set, and {self.task.label()} draws "
                "fresh samples; give a number, or train_samples"
            )

    @property
    def interface(self) -> Interface:
        """What networks are built for: the longest of the task's and its test sets'."""
        return longest_interface(self.task)

    @property
    def batch_size(self) -> int:
        """Samples per optimizer step."""
        size = self.model.recipe.batch_size
        return size if size != "full" else self.train_rows or 1

    @property
    def train_rows(self) -> int | None:
        """Size of the finite training set; None where samples are fresh."""
        return (
            self._own_rows if self.protocol.train_samples is None else self.protocol.train_samples
        )

    @property
    def has_train_set(self) -> bool:
        """Whether the task brings a training set of its own."""
        return self._own_rows is not None

    @cached_property
    def _own_rows(self) -> int | None:
        """Rows of the task's own training set, the same number in every world."""
        return own_train_rows(self.task, self.protocol.first_seed)

    @property
    def steps(self) -> int:
        """Optimizer steps the budget pays for."""
        return self.protocol.budget // self.batch_size

    def replica_seeds(self) -> list[ReplicaSeeds]:
        """The seeds of every replica, in order; a crossed design goes row by row."""
        first, count = self.protocol.first_seed, self.protocol.seeds
        if self.protocol.initializations is None:
            return [ReplicaSeeds.same(first + r) for r in range(count)]
        columns = count // self.protocol.initializations
        shared = ReplicaSeeds.same(first)
        return [
            replace(shared, init=first + r // columns, train=first + r % columns)
            for r in range(count)
        ]

    def sources(self) -> dict[str, Source[Cell]]:
        """What the cell stands on, by the names of its fields."""
        given = {"teacher": self.teacher, "start": self.start, "mask": self.mask}
        return {name: source for name, source in given.items() if source is not None}

    def evaluated_at(self, at: At) -> At:
        """The step of the last evaluation at or before a step; `last` stays as it is."""
        if at == LAST:
            return LAST
        points = evaluation_steps(self.steps, self.protocol.resolution)
        return points[bisect_right(points, at) - 1]

    def label(self) -> str:
        """The model's reference and, where it stands on other cells, on what."""
        sources = self.sources().items()
        return " ".join([self.model.label(), *(f"{n}={self._on(s)}" for n, s in sources)])

    def _on(self, source: Source[Cell]) -> str:
        """`mlp@500,last` for a network of this very model, others whole: `(mlp width=8)@last`.

        Behind it is what else tells two such cells apart, where it is not at its default.
        """
        whole = source.cell.label()
        name = self.model.name if whole == self.model.label() else f"({whole})"
        moments = ",".join(str(source.cell.evaluated_at(at)) for at in moments_of(source))
        return f"{name}@{moments}{_special(source)}"

    def plan(self) -> dict[str, Any]:
        """The cell as JSON values: what the hash covers and the record keeps.

        What the cell stands on is there only where it stands on something.
        """
        sources = {name: _described(source) for name, source in self.sources().items()}
        shared = shared_plan(self.task, self.probes, self.protocol)
        return {**shared, "model": self.model.describe(), **sources}

    def plan_hash(self) -> str:
        """SHA-256 of the canonical JSON of the plan."""
        return content_hash(self.plan())

    def folder_name(self) -> str:
        """A readable folder name, shared by plans of which one is the other grown alone."""
        own = configuration_hash(self.plan())[:8]
        return "--".join((_slug(self.task.label()), _slug(self.model.label()), own))


def _described(source: Source[Cell]) -> dict[str, Any]:
    """A source as JSON values, with the steps of the evaluations that are meant."""
    cell = source.cell
    at = [cell.evaluated_at(moment) for moment in moments_of(source)]
    described: dict[str, Any] = {"cell": cell.plan(), "at": at[0]}
    if isinstance(source, Teacher):
        described |= {"at": at, "temperature": source.temperature, "hard": source.hard}
    if isinstance(source, Mask):
        described |= {"sparsity": source.sparsity, "scope": source.scope}
    return described


def _special(source: Source[Cell]) -> str:
    """What a source has beside its cell and moments: `-0.8-layer`, ` temperature=2 hard=0.5`."""
    if isinstance(source, Mask):
        return f"-{source.sparsity:g}" + ("" if source.scope == "global" else f"-{source.scope}")
    if isinstance(source, Teacher):
        warm = "" if source.temperature == 1 else f" temperature={source.temperature:g}"
        return warm + ("" if source.hard == 0 else f" hard={source.hard:g}")
    return ""


def shared_plan(task: Task, probes: Sequence[Probe], protocol: Protocol) -> dict[str, Any]:
    """The plan of a cell without its model and what it stands on.

    A ceiling other than the optimum, and fixed inputs by their hashes, are there only where the
    task has them.
    """
    plan = {
        "plan_version": PLAN_VERSION,
        "task": task.describe(),
        "probes": [probe.describe() for probe in probes],
        "protocol": protocol.model_dump(mode="json"),
    }
    if task.ceiling != "optimal":
        plan["ceiling"] = task.ceiling
    if inputs := fixed_input_hashes(task):
        plan["fixed_inputs"] = inputs
    return plan


def _slug(label: str) -> str:
    return re.sub(r"[^a-z0-9.+]+", "-", label.lower().replace("=", ""))[:60].strip("-.")
