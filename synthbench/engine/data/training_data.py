"""Where the training batches of a cell come from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from torch import Tensor

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.task import Task
from synthbench.engine.axis.memory import is_out_of_memory
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.rows import joined, rows_of_stack
from synthbench.engine.data.curriculum_data import CurriculumData
from synthbench.engine.data.drawing import Drawing
from synthbench.engine.data.finite_data import FiniteData, drawn_samples
from synthbench.engine.data.sampling import as_batch, rows_of
from synthbench.engine.data.task_runs import TaskRun, narrowed_runs
from synthbench.errors import TaskError, explain
from synthbench.plan.cell import Cell
from synthbench.plan.task_facts import has_curriculum


class TrainingData(Protocol):
    """The training batches of all replicas, as functions of the step."""

    def batches(self, steps: range, size: int) -> Batch:
        """The batches of consecutive steps: leaves (steps, R, B, ...)."""

    def samples_at(self, step: int) -> Batch | None:
        """The finite set that is trained on, leaves (R, m, ...); None where samples are fresh."""

    def narrowed(self, rows: Sequence[int]) -> TrainingData:
        """The data of some of the replicas."""


class FreshData:
    """New samples at every step, by the task's curriculum if it has one."""

    def __init__(
        self, task: Task, worlds: World, keys: Tensor, drawing: Drawing | None = None
    ) -> None:
        """worlds: of the R replicas; keys: (R, 2) words of their `train` seeds.

        drawing: of other replicas of the task, whose recordings it shares.
        """
        self._worlds, self._keys = worlds, keys
        self._drawing = drawing or Drawing(task)

    def batches(self, steps: range, size: int) -> Batch:
        """The batches of consecutive steps: leaves (steps, R, B, ...)."""
        return self._drawing.draw(self._worlds, self._keys, steps, size)

    def samples_at(self, step: int) -> None:
        """There is no finite set."""
        return

    def narrowed(self, rows: Sequence[int]) -> FreshData:
        """The data of some of the replicas."""
        worlds, keys = rows_of_stack((self._worlds, self._keys), rows)
        return FreshData(self._drawing.task, worlds, keys, self._drawing)


class JoinedData:
    """The data of replicas of several tasks, which lie next to one another."""

    def __init__(self, runs: Sequence[TaskRun], parts: Sequence[TrainingData]) -> None:
        """parts: the data of each run."""
        self._runs, self._parts = runs, parts

    def batches(self, steps: range, size: int) -> Batch:
        """The batches of consecutive steps: leaves (steps, R, B, ...)."""
        return as_batch(joined([part.batches(steps, size) for part in self._parts], axis=1))

    def samples_at(self, step: int) -> Batch | None:
        """The finite sets that are trained on, leaves (R, m, ...)."""
        found = [part.samples_at(step) for part in self._parts]
        sets = [samples for samples in found if samples is not None]
        return as_batch(joined(sets)) if sets else None

    def narrowed(self, rows: Sequence[int]) -> JoinedData:
        """The data of some of the replicas."""
        parts = [
            part.narrowed(own)
            for run, part in zip(self._runs, self._parts, strict=True)
            if (own := run.kept(rows))
        ]
        return JoinedData(narrowed_runs(self._runs, rows), parts)


def joined_training_data(
    cell: Cell, runs: Sequence[TaskRun], worlds: World, keys: Tensor
) -> TrainingData:
    """The training data of replicas whose tasks may differ from the cell's in their samples."""
    if len(runs) == 1:
        return training_data(cell, worlds, keys)
    parts = [training_data(replace(cell, task=run.task), *run.of((worlds, keys))) for run in runs]
    return JoinedData(runs, parts)


def training_data(cell: Cell, worlds: World, keys: Tensor) -> TrainingData:
    """The training data of some replicas of a cell.

    worlds: theirs; keys: (R, 2) words of their `train` seeds. A task's own training set comes
    first, cut to the protocol's train_samples; then that many samples of the stream; then fresh
    ones.
    """
    task, count, whole = cell.task, cell.train_rows, cell.model.recipe.batch_size == "full"
    if count is None:
        return FreshData(task, worlds, keys)
    if cell.has_train_set:
        return FiniteData(rows_of(train_sets(task, worlds), 0, count), keys, whole=whole)
    if has_curriculum(task):
        return CurriculumData(task, worlds, keys, count, whole)
    return FiniteData(drawn_samples(task, worlds, keys, count), keys, whole=whole)


def train_sets(task: Task, worlds: World) -> Batch:
    """The whole training set of every replica, where the task has one: leaves (R, m, ...)."""
    try:
        return as_batch(over_replicas(task.train_set)(worlds))
    except Exception as error:
        if is_out_of_memory(error):
            raise
        raise TaskError(
            f'task "{task.label()}" fails in train_set, which gives the same number of rows in '
            f"every world: {explain(error)}"
        ) from error
