"""Which cells of an evaluation differ in numbers alone, by their plans and by what they do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from synthbench.engine.inspection.behaviour import behaviour
from synthbench.plan.cell import Cell
from synthbench.plan.stacking import stacking_key


def likenesses(cells: Sequence[Cell]) -> list[str]:
    """For each cell what is equal for those that may share a stack, and what is found out of one.

    Only where plans agree is anything tried, on the samples of the first of these cells.
    """
    keys = [stacking_key(cell) for cell in cells]
    counts, examples = Counter(keys), dict[str, Cell]()
    found = []
    for cell, key in zip(cells, keys, strict=True):
        alone = key is None or counts[key] == 1
        example = cell if key is None else examples.setdefault(key, cell)
        found.append(cell.plan_hash() if alone else _likeness(cell, example, str(key)))
    return found


def _likeness(cell: Cell, example: Cell, key: str) -> str:
    try:
        return f"{key} {behaviour(cell, example)}"
    except Exception:
        # What is wrong with it is said where it is inspected.
        return cell.plan_hash()
