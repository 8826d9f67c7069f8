"""The cells of one reference of tasks in a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synthbench.contracts.model import Model
from synthbench.contracts.probe import Probe
from synthbench.contracts.task import Task
from synthbench.evaluation.planning import Participants, plan_cells, with_preset
from synthbench.evaluation.studies.plan import spanned
from synthbench.plan.cell import Cell
from synthbench.plan.protocol import Protocol
from synthbench.registry.kinds import MODEL, TASK


@dataclass(frozen=True)
class TaskGrid:
    """Tasks that a reference stands for, with every model, as its preset says what is not said.

    defaults: fields of the protocol that hold unless a study names them.
    """

    tasks: Sequence[Task]
    models: Sequence[Model]
    probes: Sequence[str | Probe]
    defaults: Mapping[str, Any]

    def cells(self, protocol: Mapping[str, Any]) -> list[Cell]:
        """For each task, every model under one protocol, given by its fields."""
        own = Protocol(**{**self.defaults, **protocol})
        return plan_cells(self.tasks, self.models, own, self.probes)


def task_grid(reference: str | Task, given: Participants) -> TaskGrid:
    """The grid of a reference, or of a task; ConfigurationError where there is no model."""
    wanted, defaults = with_preset(reference, given)
    models = [model for each in wanted.models for model in spanned(MODEL, each)]
    return TaskGrid(spanned(TASK, reference), models, wanted.probes, defaults)
