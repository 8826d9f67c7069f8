"""Replicas of several tasks in one stack: those of a task lie next to one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TypeVar

from torch.utils._pytree import tree_map

from synthbench.contracts.task import Task

T = TypeVar("T")


@dataclass(frozen=True)
class TaskRun:
    """Replicas start, ..., stop - 1 of a stack, all of one task."""

    task: Task
    start: int
    stop: int

    def of(self, stacked: T) -> T:
        """Their rows of stacked tensors (R, ...)."""
        rows: T = tree_map(lambda leaf: leaf[self.start : self.stop], stacked)
        return rows

    def kept(self, rows: Sequence[int]) -> list[int]:
        """Those of the stack's rows that are of this run, counted from its start."""
        return [row - self.start for row in rows if self.start <= row < self.stop]


def task_runs(tasks: Sequence[Task]) -> list[TaskRun]:
    """The runs of a stack, from the task of each of its replicas."""
    return list(_runs(tasks))


def narrowed_runs(runs: Sequence[TaskRun], rows: Sequence[int]) -> list[TaskRun]:
    """The runs of a stack of which some rows are left."""
    return task_runs([run.task for run in runs for _ in run.kept(rows)])


def _runs(tasks: Sequence[Task]) -> Iterator[TaskRun]:
    start = 0
    # One object for each: comparing tasks could compare whole tables.
    for _, group in groupby(tasks, key=id):
        own = list(group)
        stop = start + len(own)
        yield TaskRun(own[0], start, stop)
        start = stop
