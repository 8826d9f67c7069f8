"""A block that may hold replicas of several cells, and what of its result is whose."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from synthbench.engine.axis.way import Way
from synthbench.engine.training.block import NARROWEST, Block, equal_width
from synthbench.engine.training.block_training import BlockResult
from synthbench.evaluation.training_choice import TrainingChoice
from synthbench.plan.cell import Cell, ReplicaSeeds

Member: TypeAlias = tuple[int, int]
"""The place of a cell among those that train together, and the number of a replica in it."""


@dataclass(frozen=True)
class Share:
    """Replicas of one cell that lie next to one another in a block.

    place: number of the cell among those that train together. numbers: of the replicas in their
    cell. start: of their rows in the block.
    """

    place: int
    cell: Cell
    numbers: tuple[int, ...]
    start: int

    @property
    def stop(self) -> int:
        """The row behind their last."""
        return self.start + len(self.numbers)


@dataclass(frozen=True)
class SharedBlock:
    """What trains at once, and the shares of the cells in it."""

    whole: Block
    shares: tuple[Share, ...]

    @classmethod
    def of(cls, cell: Cell, block: Block) -> SharedBlock:
        """A block of one cell."""
        return cls(block, (Share(0, cell, block.replicas, 0),))

    @property
    def first(self) -> int:
        """Number of the cell in whose folder the checkpoint lies."""
        return self.shares[0].place

    @property
    def can_be_narrower(self) -> bool:
        """Whether fewer replicas at once make a stack."""
        return self.whole.width > NARROWEST

    def members(self) -> list[Member]:
        """All of its replicas."""
        return [(share.place, number) for share in self.shares for number in share.numbers]

    def split(self, result: BlockResult) -> Iterator[tuple[int, Block, BlockResult]]:
        """For every share the number of its cell, the block it makes alone, and its result."""
        for share in self.shares:
            seeds = self.whole.seeds[share.start : share.stop]
            alone = Block(share.numbers[0], seeds, self.whole.width, numbers=share.numbers)
            yield share.place, alone, result.rows(share.start, share.stop, share.numbers)


def split_shared(
    cells: Sequence[Cell],
    planned: Sequence[Sequence[Member]],
    left: Collection[Member],
    choice: TrainingChoice,
) -> list[SharedBlock]:
    """The blocks of what is left of some cells.

    planned: what there was to train at the beginning, each sequence of replicas that stand at one
    step. Each makes blocks of one width, cell by cell; of each block what is left is trained. So
    a block is the same whatever else is finished, and is found again with its checkpoint. What is
    little is trained narrower, the rest at the full width, which is traced.
    """
    stacked = choice.way is not Way.PLAIN
    narrowest = NARROWEST if stacked else 1
    seeds = [cell.replica_seeds() for cell in cells]
    blocks = []
    for every in planned:
        width = equal_width(len(every), choice.widest, narrowest)
        for start in range(0, len(every), width):
            members = [member for member in every[start : start + width] if member in left]
            if members:
                own = max(len(members), narrowest)
                whole = width if stacked and 2 * own > width else own
                blocks.append(_block(cells, seeds, members, whole))
    return blocks


def _block(
    cells: Sequence[Cell],
    seeds: Sequence[Sequence[ReplicaSeeds]],
    members: Sequence[Member],
    width: int,
) -> SharedBlock:
    own = tuple(seeds[place][number] for place, number in members)
    whole = Block(members[0][1], own, width)
    numbers = tuple(number for _, number in members)
    if len(cells) > 1:
        whole = replace(whole, cells=tuple(cells[place] for place, _ in members))
    elif numbers != whole.replicas:
        whole = replace(whole, numbers=numbers)
    return SharedBlock(whole, tuple(_shares(cells, members)))


def _shares(cells: Sequence[Cell], members: Sequence[Member]) -> list[Share]:
    found: list[Share] = []
    for row, (place, number) in enumerate(members):
        if found and found[-1].place == place:
            found[-1] = replace(found[-1], numbers=(*found[-1].numbers, number))
        else:
            found.append(Share(place, cells[place], (number,), row))
    return found
