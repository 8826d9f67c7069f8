"""Examining a task."""

from __future__ import annotations

from typing import Any

from synthbench.contracts.task import Task
from synthbench.testing.configuration_laws import CONFIGURATION_LAWS
from synthbench.testing.examination import Examination
from synthbench.testing.law import Law
from synthbench.testing.report import Report
from synthbench.testing.tasks.achievable_laws import ACHIEVABLE_LAWS
from synthbench.testing.tasks.leak_laws import LEAK_LAWS
from synthbench.testing.tasks.loss_laws import LOSS_LAWS
from synthbench.testing.tasks.optimum_laws import OPTIMUM_LAWS
from synthbench.testing.tasks.purpose_laws import PURPOSE_LAWS
from synthbench.testing.tasks.reference_laws import REFERENCE_LAWS
from synthbench.testing.tasks.replica_laws import REPLICA_LAWS
from synthbench.testing.tasks.running_laws import RUNNING_LAWS
from synthbench.testing.tasks.sample_laws import SAMPLE_LAWS
from synthbench.testing.tasks.score_laws import SCORE_LAWS
from synthbench.testing.tasks.statement_laws import STATEMENT_LAWS
from synthbench.testing.tasks.trial import TaskTrial

TASK_LAWS: tuple[Law[Any], ...] = (
    *CONFIGURATION_LAWS,
    *RUNNING_LAWS,
    *SAMPLE_LAWS,
    *LEAK_LAWS,
    *PURPOSE_LAWS,
    *REPLICA_LAWS,
    *SCORE_LAWS,
    *REFERENCE_LAWS,
    *ACHIEVABLE_LAWS,
    *OPTIMUM_LAWS,
    *LOSS_LAWS,
    *STATEMENT_LAWS,
)


def task_examination(task: Task, *, constant_world: bool = False) -> Examination:
    """A task's laws, to be judged one by one.

    constant_world: whether the fields leave nothing of the hidden truth to draw.
    """
    return Examination(task.label(), TASK_LAWS, TaskTrial(task, constant_world))


def examine_task(task: Task, *, constant_world: bool = False) -> Report:
    """Judge a task by every law; the arguments are those of `check_task`."""
    return task_examination(task, constant_world=constant_world).report()


def check_task(task: Task, *, constant_world: bool = False) -> Report:
    """Raise ConformanceError, with advice for each broken law, unless a task keeps them all.

    constant_world: whether the fields leave nothing of the hidden truth to draw, so that it may
    be the same for every seed. Returns the verdicts and facts such as the sampling rate.
    """
    report = examine_task(task, constant_world=constant_world)
    report.raise_if_broken()
    return report
