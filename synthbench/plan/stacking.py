"""Which cells differ only in numbers that change no shape, so that they can train together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synthbench.contracts.recipe import ELEMENTWISE
from synthbench.hashing import content_hash
from synthbench.plan.cell import Cell

RECIPE_NUMBERS = (
    "lr",
    "momentum",
    "beta1",
    "beta2",
    "eps",
    "weight_decay",
    "schedule",
    "warmup",
    "lr_final",
    "decay",
)
"""Fields of a recipe of which every replica may have its own; `clip` too, where all have one."""


def stacking_key(cell: Cell) -> str | None:
    """Equal for cells whose plans let them share a stack of replicas; None for one that cannot.

    Alone train cells that stand on others, with a plugin's optimizer, or in a crossed design. A
    probe sees the task whole, so that with probes no field of it may differ.
    """
    crossed = cell.protocol.initializations is not None
    if cell.sources() or crossed or cell.model.recipe.optimizer not in ELEMENTWISE:
        return None
    plan = cell.plan()
    plan["model"] = {**plan["model"], "recipe": _recipe(plan["model"]["recipe"])}
    if not cell.probes:
        plan["task"] = _without(plan["task"], cell.task.sample_fields)
    plan["protocol"] = _without(plan["protocol"], ("seeds", "first_seed"))
    return content_hash(plan)


def _recipe(recipe: dict[str, Any]) -> dict[str, Any]:
    shared = _without(recipe, RECIPE_NUMBERS)
    return {**shared, "clip": recipe["clip"] is not None}


def _without(described: dict[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in described.items() if name not in names}
