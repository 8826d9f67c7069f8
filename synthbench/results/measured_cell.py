"""A finished cell as it lies on disk: its record, its trajectories and their metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from synthbench.metrics.cell_context import CellContext
from synthbench.metrics.cell_metrics import CellMetrics
from synthbench.metrics.measuring import measure_cell
from synthbench.metrics.trajectories import Trajectories
from synthbench.plan.schedule import evaluation_steps
from synthbench.records.reading import TRAJECTORIES_FILE
from synthbench.records.schema import Record


@dataclass(frozen=True)
class MeasuredCell:
    """A record and its folder; trajectories and metrics are read when first asked for.

    The record may be of the first replicas of those in the folder, and of a smaller budget.
    """

    record: Record
    folder: Path

    @cached_property
    def trajectories(self) -> Trajectories:
        """The measurements, read from the folder."""
        found = Trajectories.read(self.folder / TRAJECTORIES_FILE)
        return found.first(len(self.record.replicas)).until(self.budget)

    @cached_property
    def metrics(self) -> CellMetrics:
        """Every metric, computed from the trajectories."""
        return measure_cell(self.trajectories, self.context)

    @property
    def context(self) -> CellContext:
        """What the metrics need beside the trajectories."""
        return context_of(self.record)

    @property
    def batch_size(self) -> int:
        """Samples per optimizer step."""
        return self.record.batch_size

    @property
    def budget(self) -> int:
        """Samples per replica."""
        return self.record.budget

    @property
    def watched(self) -> float:
        """Samples beyond which nothing is known: the end of the budget."""
        return self.budget


def context_of(record: Record) -> CellContext:
    """What the metrics need from a record beside the trajectories."""
    protocol, batch_size = record.protocol, record.batch_size
    steps = evaluation_steps(record.steps, protocol["resolution"])
    ranked = record.summary.score
    return CellContext(
        target=record.target,
        points=np.array(steps, float) * batch_size,
        step=batch_size,
        diverged=[replica.outcome == "diverged" for replica in record.replicas],
        references=record.levels(ranked),
        initializations=protocol.get("initializations"),
        ceiling=record.ceiling,
    )


def by_table(cells: Sequence[MeasuredCell]) -> list[list[MeasuredCell]]:
    """The cells that one table can hold: of a task of any fields, with the same scores."""
    groups: dict[tuple[object, ...], list[MeasuredCell]] = {}
    for cell in cells:
        record = cell.record
        key = (record.task_plan["name"], record.summary.score, *record.scores)
        groups.setdefault(key, []).append(cell)
    return list(groups.values())


def by_task(cells: Sequence[MeasuredCell]) -> list[list[MeasuredCell]]:
    """The cells of each task, in the order in which the tasks appear."""
    tasks = dict.fromkeys(cell.record.task for cell in cells)
    return [[cell for cell in cells if cell.record.task == task] for task in tasks]
