"""How the steps between two evaluations are cut into chunks."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple

from torch.utils.data import IterableDataset


class Chunk(NamedTuple):
    """Optimizer steps start, ..., stop - 1."""

    start: int
    stop: int


class ChunkSource(IterableDataset[Chunk]):
    """The steps up to the next evaluation, in chunks of at most `longest` steps.

    One pass is one Lightning epoch. The position is asked for at the start of each pass, so
    a resumed run continues where its checkpoint left off.
    """

    def __init__(self, points: list[int], longest: int, position: Callable[[], int]) -> None:
        super().__init__()
        self._points = points
        self._longest = longest
        self._position = position

    def __iter__(self) -> Iterator[Chunk]:
        """Chunks from the current step to the next evaluation point."""
        start = self._position()
        index = bisect_right(self._points, start)
        stop = self._points[index] if index < len(self._points) else start
        for first in range(start, stop, self._longest):
            yield Chunk(first, min(first + self._longest, stop))
