"""The budgets at which trials are looked at, before the full one."""

from __future__ import annotations

from bisect import bisect_right

from synthbench.plan.cell import Cell
from synthbench.plan.growth import depends_on_budget
from synthbench.plan.schedule import evaluation_steps

HALVINGS = 4
"""The first rung is the full budget halved so many times: a sixteenth."""


def rungs(cell: Cell) -> list[int]:
    """Budgets in samples, ascending, the cell's own last: each about double the one before.

    Each ends at an evaluation of the full budget, so that what is measured up to there is the
    same to the bit. Where the recipe's schedule depends on the budget, or replicas spend all of
    it, there is no rung below.
    """
    if not prunable(cell):
        return [cell.protocol.budget]
    points = evaluation_steps(cell.steps, cell.protocol.resolution)
    found = []
    for halvings in range(HALVINGS, 0, -1):
        wanted = cell.steps >> halvings
        found.append(points[bisect_right(points, wanted) - 1] * cell.batch_size)
    return sorted({*(each for each in found if each), cell.protocol.budget})


def prunable(cell: Cell) -> bool:
    """Whether training for less is the beginning of training for more."""
    return cell.protocol.until == "solved" and not depends_on_budget(cell.plan())
