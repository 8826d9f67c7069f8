"""What a person should know of the way in which a cell is trained."""

from __future__ import annotations

import torch

from synthbench.engine.axis.way import Way
from synthbench.engine.inspection.cell import CellFacts
from synthbench.listeners.listener import Listener
from synthbench.plan.cell import Cell

FASTER = "which is faster here than a stack"


def note_way(
    listener: Listener, cell: Cell, facts: CellFacts, way: Way, device: torch.device
) -> None:
    """Say what is not stacked, and why."""
    label, ways, needs = cell.model.label(), facts.ways, facts.optimizer
    if way is Way.PLAIN:
        listener.note(
            f'replicas of "{label}" are trained one after the other, each at the price of a plain '
            f"loop ({ways.loop_reason or FASTER})"
        )
    elif way is Way.STACKED:
        listener.note(
            f'the step of "{label}" is called anew each time, which costs more than one that is '
            f"recorded ({ways.reasons[Way.TRACED]})"
        )
    if needs is None or device.type != "cpu":
        return
    if needs.loop_reason and not needs.own_gradients:
        listener.note(
            f'the optimizer of "{label}" is stepped one replica at a time ({needs.loop_reason})'
        )
    if not needs.resumes:
        listener.note(
            f'the optimizer of "{label}" keeps what no checkpoint holds, so an interrupted block '
            "begins again"
        )
