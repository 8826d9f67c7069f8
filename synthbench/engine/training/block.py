"""Which replicas train together, at which width."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from synthbench.engine.training.inheritance import Inherited
from synthbench.engine.training.training_state import Continuation
from synthbench.plan.cell import Cell, ReplicaSeeds

NARROWEST = 2
"""A stack of one replica rounds its reductions differently: torch drops the axis of length 1."""


@dataclass(frozen=True)
class Block:
    """Some replicas: index of the first in its cell, their seeds, and the width to train at.

    A block narrower than `width` is padded with copies of its last replica, so that all blocks of
    a cell run the same kernels. inherited: what the padded replicas take over from other cells.
    kept_steps: the evaluations whose weights are kept, beside the last. cells: that of every
    replica, where they are of several that differ in numbers alone. numbers: of its replicas in
    their cell, ascending, where they do not follow one another from `first`. continuation: where
    its replicas go on, if they do not begin. keeps_state: whether where they stand at the end of
    the budget is kept.
    """

    first: int
    seeds: tuple[ReplicaSeeds, ...]
    width: int
    inherited: Inherited | None = field(default=None, compare=False)
    kept_steps: tuple[int, ...] = ()
    cells: tuple[Cell, ...] = ()
    numbers: tuple[int, ...] = ()
    continuation: Continuation | None = field(default=None, compare=False)
    keeps_state: bool = False

    @property
    def replicas(self) -> tuple[int, ...]:
        """The cell's numbers of its replicas."""
        return self.numbers or tuple(range(self.first, self.first + len(self.seeds)))

    def padded(self) -> list[ReplicaSeeds]:
        """The seeds, filled up to the width."""
        return [*self.seeds, *[self.seeds[-1]] * (self.width - len(self.seeds))]

    def padded_cells(self, cell: Cell) -> list[Cell]:
        """The cells of the padded replicas; cell: the only one, where none are named."""
        named = self.cells or (cell,)
        return [*self.cells, *[named[-1]] * (self.width - len(self.cells))]

    def rows(self) -> list[int]:
        """The cell's numbers of the padded replicas."""
        own = self.replicas
        return [*own, *[own[-1]] * (self.width - len(own))]


def equal_width(replicas: int, widest: int, narrowest: int) -> int:
    """The width of blocks of at most `widest` that divide some replicas most equally."""
    count = -(-replicas // max(widest, narrowest))
    return max(-(-replicas // count), narrowest)


def split_blocks(
    seeds: Sequence[ReplicaSeeds], widest: int, first: int = 0, stacked: bool = True
) -> list[Block]:
    """Split replicas into equal blocks of at most `widest`; a stack is never narrower than two.

    stacked: False for plain modules, each of which is as it would be alone.
    """
    width = equal_width(len(seeds), widest, NARROWEST if stacked else 1)
    parts = [tuple(seeds[i : i + width]) for i in range(0, len(seeds), width)]
    return [
        Block(first + width * i, part, width if stacked else len(part))
        for i, part in enumerate(parts)
    ]
