"""Finished cells with plans of our choice, for tables that say what cells are."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from synthbench.hashing import content_hash
from synthbench.results.measured_cell import MeasuredCell
from tests.results.synthetic import Setting, make_cell

RECIPE = {"optimizer": "sgd", "lr": 0.1, "batch_size": 32, "loss": None}


@dataclass(frozen=True)
class Planned:
    """What is special about a cell: fields of its parts, and its labels as `eval` writes them."""

    label: str = "mlp"
    task_label: str = "synthetic n=10"
    task: dict[str, Any] = field(default_factory=dict)
    model: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    protocol: dict[str, Any] = field(default_factory=dict)
    rest: dict[str, Any] = field(default_factory=dict)
    speed: float = 1.0


def planned_cell(folder: Path, planned: Planned = Planned()) -> MeasuredCell:
    """A synthetic cell with that plan; its numbers are those of its speed."""
    cell = make_cell(folder, Setting(speed=planned.speed))
    plan = plan_of(cell.record.plan, planned)
    update = {
        "plan": plan,
        "plan_hash": content_hash(plan),
        "task": planned.task_label,
        "model": planned.label,
    }
    return replace(cell, record=cell.record.model_copy(update=update))


def plan_of(plan: dict[str, Any], planned: Planned) -> dict[str, Any]:
    """The plan with the fields that are special."""
    own = {} if "arguments" in planned.model else {"width": 100}
    model = {"name": "mlp", "version": 1} | own | planned.model
    return {
        **plan,
        "task": plan["task"] | planned.task,
        "model": {**model, "recipe": RECIPE | planned.recipe},
        "protocol": plan["protocol"] | planned.protocol,
        **planned.rest,
    }


def planned_cells(folder: Path, *planned: Planned) -> list[MeasuredCell]:
    """Cells in folders of their own."""
    return [planned_cell(folder / str(index), each) for index, each in enumerate(planned)]
