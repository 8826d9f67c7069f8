"""A block that may hold replicas of several cells, and what of its result is whose."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from synthbench.engine.axis.way import Way
from synthbench.engine.training.block import Block, split_blocks
from synthbench.engine.training.block_training import BlockResult
from synthbench.evaluation.partial_run import PartialRun
from synthbench.plan.cell import Cell, ReplicaSeeds


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

    def split(self, result: BlockResult) -> Iterator[tuple[int, Block, BlockResult]]:
        """For every share the number of its cell, the block it makes alone, and its result."""
        for share in self.shares:
            seeds = self.whole.seeds[share.start : share.stop]
            alone = Block(share.numbers[0], seeds, self.whole.width, numbers=share.numbers)
            yield share.place, alone, result.rows(share.start, share.stop, share.numbers)


def next_block(cells: Sequence[Cell], partials: Sequence[PartialRun]) -> SharedBlock | None:
    """The next replicas to train, cell by cell; None where all are done."""
    left: list[tuple[int, int, ReplicaSeeds]] = []
    for place, (cell, partial) in enumerate(zip(cells, partials, strict=True)):
        seeds = cell.replica_seeds()
        left += [(place, number, seeds[number]) for number in partial.missing(len(seeds))]
    if not left:
        return None
    choice = partials[0].choice
    stacked = choice.way is not Way.PLAIN
    whole = split_blocks([own for _, _, own in left], choice.widest, left[0][1], stacked)[0]
    taken = left[: len(whole.seeds)]
    if len(cells) > 1:
        whole = replace(whole, cells=tuple(cells[place] for place, _, _ in taken))
    elif (numbers := tuple(number for _, number, _ in taken)) != whole.replicas:
        whole = replace(whole, numbers=numbers)
    return SharedBlock(whole, tuple(_shares(cells, taken)))


def _shares(cells: Sequence[Cell], taken: Sequence[tuple[int, int, ReplicaSeeds]]) -> list[Share]:
    found: list[Share] = []
    for row, (place, number, _) in enumerate(taken):
        if found and found[-1].place == place:
            found[-1] = replace(found[-1], numbers=(*found[-1].numbers, number))
        else:
            found.append(Share(place, cells[place], (number,), row))
    return found
