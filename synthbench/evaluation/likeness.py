"""Which cells of an evaluation differ in numbers alone, by their plans and by what they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from synthbench.engine.inspection.behaviour import behaviour
from synthbench.plan.cell import Cell
from synthbench.plan.stacking import stacking_key


class Likeness:
    """Sorts cells into those that may share a stack of replicas, and what is found out of one.

    Only where plans agree is anything tried, on the samples of the first of these cells.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        """cells: all of them."""
        self._keys = {cell.plan_hash(): stacking_key(cell) for cell in cells}
        self._counts = Counter(self._keys.values())
        self._examples: dict[str, Cell] = {}
        self._found: dict[str, str] = {}

    def of(self, cell: Cell) -> str:
        """Equal for cells that are alike."""
        plan = cell.plan_hash()
        if plan not in self._found:
            self._found[plan] = self._find(cell, plan)
        return self._found[plan]

    def _find(self, cell: Cell, plan: str) -> str:
        key = self._keys[plan]
        if key is None or self._counts[key] == 1:
            return plan
        try:
            return f"{key} {behaviour(cell, self._examples.setdefault(key, cell))}"
        except Exception:
            # What is wrong with it is said where it is inspected.
            return plan
