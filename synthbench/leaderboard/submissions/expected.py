"""What a suite asks of a submission, cell by cell, and the cell that a record says was trained."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from synthbench.contracts.probe import Probe
from synthbench.contracts.task import Task
from synthbench.errors import SubmissionError, UnknownNameError
from synthbench.hashing import content_hash
from synthbench.leaderboard.submissions.differences import first_difference
from synthbench.metrics.score_names import base_name
from synthbench.plan.cell import Cell, shared_plan
from synthbench.plan.protocol import Protocol
from synthbench.plan.reference_columns import reference_columns
from synthbench.plan.schedule import evaluation_steps
from synthbench.plan.suite import Suite, cell_protocol, suite_protocol
from synthbench.plan.suite_reference import SuiteReference
from synthbench.plan.task_facts import own_train_rows
from synthbench.records.schema import Record
from synthbench.registry.kinds import MODEL
from synthbench.registry.registry import installed


@dataclass(frozen=True)
class ExpectedCell:
    """What a suite prescribes for one of its cells: all but the model."""

    suite: SuiteReference
    task: Task
    protocol: Protocol
    probes: tuple[Probe, ...]
    lead: str | None = None
    """The probe value that the board shows."""

    @cached_property
    def plan(self) -> dict[str, Any]:
        """The plan without its model."""
        return shared_plan(self.task, self.probes, self.protocol)

    @cached_property
    def references(self) -> dict[str, list[str]]:
        """The task's references, and the names of their scores, the ranked one first."""
        return reference_names(self.task, self.protocol.train_samples)

    @property
    def ranked(self) -> str:
        """The score that is ranked."""
        return self.protocol.score or self.references["trivial"][0]

    @cached_property
    def training_columns(self) -> tuple[str, ...]:
        """Columns of its trajectories about the training data."""
        if self.full_batch is None:
            return ("train_loss",)
        return (f"train_{base_name(self.ranked)}", "train_progress", "train_loss")

    @cached_property
    def full_batch(self) -> int | None:
        """Samples of a finite training set; None where every sample is fresh."""
        if self.protocol.train_samples is not None:
            return self.protocol.train_samples
        return own_train_rows(self.task, self.protocol.first_seed)

    def most_rows(self) -> int:
        """Most rows of its trajectories, for the smallest batch."""
        steps = evaluation_steps(self.protocol.budget, self.protocol.resolution)
        return self.protocol.seeds * len(steps)


@lru_cache(maxsize=256)
def reference_names(task: Task, train_samples: int | None = None) -> dict[str, list[str]]:
    """The references of a task in their order, and the names of the scores of each."""
    return reference_columns(task, train_samples)


def expected_cells(suite: Suite) -> list[ExpectedCell]:
    """What the suite prescribes, in its order."""
    registry, protocol = installed(), suite_protocol(suite)
    return [
        ExpectedCell(
            SuiteReference(name=suite.name, version=suite.version, hash=suite.hash()),
            registry.task(row.task),
            cell_protocol(row, protocol),
            tuple(registry.probe(probe) for probe in suite.probes),
            suite.lead,
        )
        for row in suite.cells
    ]


def rebuild_cell(record: Record, expected: ExpectedCell) -> Cell:
    """The cell as planned here, with the recorded model.

    Raises UnknownNameError where the model's plugin or its optimizer's is not installed,
    SubmissionError where the installed class does not accept that model or describes it
    differently.
    """
    model = record.model_plan
    try:
        rebuilt = installed().rebuild(MODEL, model)
        cell = Cell(expected.task, rebuilt, expected.protocol, expected.probes)
        cell.check()
        found = rebuilt.describe()
    except UnknownNameError:
        raise
    # A validator of a plugin may raise anything.
    except Exception as error:
        raise SubmissionError(f"plan: the model cannot be rebuilt: {error}") from None
    if content_hash(found) != content_hash(model):
        where, is_, should = first_difference(model, found, "model")
        raise SubmissionError(f"plan: {where} is {is_}, its class makes that {should}")
    return cell
