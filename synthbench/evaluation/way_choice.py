"""In which way a cell is trained here, and how many replicas at once."""

from __future__ import annotations

import torch

from synthbench.engine.axis.way import Way
from synthbench.engine.inspection.cell import CellFacts
from synthbench.engine.training.block_size import measure_stacks, plain_is_faster, plain_width
from synthbench.engine.training.cell_functions import CellFunctions
from synthbench.plan.cell import Cell


def choose_way(
    cell: Cell, facts: CellFacts, device: torch.device, wanted: int | None, functions: CellFunctions
) -> tuple[Way, int]:
    """The way, and how many replicas a block holds: measured, unless `wanted` says how many.

    functions: of the cell without its teacher, who is not at hand here.
    """
    ways = facts.ways
    first, plain = ways.right[0], plain_width(cell, facts.parameters)
    if wanted is not None:
        return first, min(wanted, cell.protocol.seeds)
    if first is Way.PLAIN:
        return first, plain
    stacks = measure_stacks(cell, device, functions)
    if Way.PLAIN in ways.right and plain_is_faster(cell, device, stacks, ways.draws):
        return Way.PLAIN, plain
    return first, stacks.width
