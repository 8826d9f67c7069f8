"""What will be tuned, on which tasks, and on which seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synthbench.contracts.task import Task
from synthbench.errors import ConfigurationError
from synthbench.evaluation.planning import resolve_task
from synthbench.plan.protocol import Protocol
from synthbench.plan.space import Space
from synthbench.plan.suite import Suite, cell_protocol
from synthbench.plan.suite_reference import SuiteReference
from synthbench.registry.kinds import MODEL
from synthbench.registry.registry import installed
from synthbench.tuning.proposals import SamplerName, refuse_ranges
from synthbench.tuning.record import Question, TunedOn

FIRST_SEED = 1_000_000
"""Of the tuning seeds, far from those that anybody ranks or reports."""
SEEDS = 8
"""Replicas of a trial."""
TRIALS_EACH = 20
"""Configurations tried for each model on each task."""
CONFIRM_SEEDS = 32
"""Replicas of a chosen configuration, with the seeds 0, 1, ... unless a suite has its own."""


@dataclass(frozen=True)
class TunedTask:
    """A task and how its trials are measured. number: of the suite's cell."""

    task: Task
    protocol: Protocol
    number: int | None = None


@dataclass(frozen=True)
class TuningPlan:
    """Models, each with its search space, that are tuned on every task by itself.

    models: the search spaces as they were typed.
    """

    tasks: tuple[TunedTask, ...]
    models: tuple[str, ...]
    sampler: SamplerName = "quasi-random"
    sampler_seed: int = 0
    suite: Suite | None = None

    @property
    def spaces(self) -> list[Space]:
        """The search space of each model; ConfigurationError for one that cannot be read."""
        return [installed().space(MODEL, model) for model in self.models]

    @property
    def question(self) -> Question:
        """The plan as it is written down."""
        suite = self.suite
        return Question(
            suite=None
            if suite is None
            else SuiteReference(name=suite.name, version=suite.version, hash=suite.hash()),
            tasks=tuple(
                TunedOn(
                    task=each.task.label(),
                    cell=each.number,
                    protocol=each.protocol.model_dump(mode="json"),
                )
                for each in self.tasks
            ),
            models=self.models,
            sampler=self.sampler,
            sampler_seed=self.sampler_seed,
        )


def on_tuning_seeds(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes of a protocol (field -> value), with the seeds of trials where they name none."""
    return {"seeds": SEEDS, "first_seed": FIRST_SEED, **changes}


def tuned_on_tasks(tasks: Sequence[str | Task], protocol: Protocol) -> tuple[TunedTask, ...]:
    """Some tasks, measured alike."""
    return tuple(TunedTask(resolve_task(task), protocol) for task in tasks)


def tuned_on_suite(
    suite: Suite, shared: Protocol, numbers: Sequence[int] = ()
) -> tuple[TunedTask, ...]:
    """The cells of a suite.

    shared: `suite_protocol(suite, on_tuning_seeds(...))`; what it names goes before what a row of
    the suite says. numbers: only these cells, counted from 1; default all. Raises
    ConfigurationError for a cell that the suite does not have.
    """
    if numbers and max(numbers) > len(suite.cells):
        raise ConfigurationError(
            f'suite "{suite.name}" has cells 1 to {len(suite.cells)}, there is no cell '
            f"{max(numbers)}"
        )
    return tuple(
        TunedTask(installed().task(row.task), cell_protocol(row, shared), number)
        for number, row in enumerate(suite.cells, start=1)
        if not numbers or number in numbers
    )


def trials_of(plan: TuningPlan) -> int:
    """How many configurations to try where nobody said: of a grid all, else 20."""
    if plan.sampler != "grid":
        return TRIALS_EACH
    for space in plan.spaces:
        refuse_ranges(space)
    return max(space.count for space in plan.spaces)


def refuse_ranked_seeds(first_seed: int, ranked: int, suite: Suite | None) -> None:
    """Raise ConfigurationError where tuning seeds are among the `ranked` ones, 0, 1, ...

    suite: whose seeds they are; None where they are those of the confirmation.
    """
    if first_seed < ranked:
        whose = "those of the confirmation" if suite is None else f'those that "{suite.name}" ranks'
        raise ConfigurationError(
            f"--first-seed {first_seed}: the seeds 0 to {ranked - 1} are {whose}; tune with "
            f"{ranked} or more, or leave it out ({FIRST_SEED:,})"
        )
