"""Cells that differ in numbers alone, as whoever trains their blocks gets them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from uuid import uuid4

import torch

from synthbench.engine.inspection.cell import CellFacts
from synthbench.evaluation.settings import Compile
from synthbench.plan.cell import Cell


@dataclass(frozen=True)
class Stack:
    """Some cells, of which the first stands for what they share; can be sent to another process.

    replicas: how many are to be trained, over all cells. widest: of a block, where that is not to
    be measured. processor: that of the record, where blocks may be trained on others. name: no
    other stack's, of another evaluation neither.
    """

    cells: tuple[Cell, ...]
    facts: CellFacts
    device: torch.device
    replicas: int
    widest: int | None
    compile: Compile
    processor: str | None = None
    name: str = field(default_factory=lambda: uuid4().hex)

    @property
    def first(self) -> Cell:
        """The first cell."""
        return self.cells[0]

    @cached_property
    def together(self) -> Cell:
        """The first cell with the replicas of all, for measuring."""
        seeds = self.first.protocol.model_copy(update={"seeds": self.replicas})
        return replace(self.first, protocol=seeds)
