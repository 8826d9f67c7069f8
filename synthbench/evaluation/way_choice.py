"""In which way a cell is trained here, how many replicas at once, and by how many threads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from synthbench.engine.axis.way import Way
from synthbench.engine.inspection.cell import CellFacts
from synthbench.engine.training.block_size import (
    SHORT_SECONDS,
    measure_stacks,
    more_threads_are_faster,
    plain_is_faster,
    plain_width,
)
from synthbench.engine.training.cell_functions import CellFunctions
from synthbench.plan.cell import Cell


@dataclass(frozen=True)
class WayChoice:
    """What was measured to be fastest.

    widest: replicas of a block. left: seconds of all steps of a stack; None where they were not
    measured.
    """

    way: Way
    widest: int
    left: float | None = None


def choose_way(
    cell: Cell,
    facts: CellFacts,
    device: torch.device,
    wanted: int | None,
    functions: Callable[[], CellFunctions],
) -> WayChoice:
    """The fastest right way; `wanted`: replicas of a block, if they are not to be measured.

    functions: of stacks of the cell without its teacher, who is not at hand here; built only
    where a stack is right.
    """
    ways = facts.ways
    first, plain = ways.right[0], plain_width(cell, facts.parameters)
    if wanted is not None:
        return WayChoice(first, min(wanted, cell.protocol.seeds))
    if first is Way.PLAIN:
        return WayChoice(first, plain)
    stacks = measure_stacks(cell, device, functions())
    if Way.PLAIN in ways.right and plain_is_faster(cell, device, stacks, ways.draws):
        return WayChoice(Way.PLAIN, plain)
    return WayChoice(first, stacks.width, left=stacks.left)


def choose_threads(
    cell: Cell,
    device: torch.device,
    choice: WayChoice,
    functions: Callable[[], CellFunctions],
    available: int,
) -> int:
    """One, unless the step of the stack is clearly faster with all that are available."""
    if choice.way is Way.PLAIN or device.type != "cpu" or available < 2 or choice.left is None:
        return 1
    if choice.left < SHORT_SECONDS:
        return 1
    faster = more_threads_are_faster(cell, device, choice.widest, functions(), available)
    return available if faster else 1
