"""Samples of a parity as bits, and what a search says of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from synthbench import Purpose, Stream

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from synthbench_parity.task import SparseParity

WORD = 64


@dataclass(frozen=True)
class Answer:
    """What a search says of some samples.

    support: none where it cannot decide. operations: on bits, or products of signs. is_final:
    whether more samples cannot help.
    """

    support: tuple[int, ...] | None
    operations: int
    is_final: bool = False


class Samples:
    """The samples of a seed in the order in which a network of that seed is trained on them.

    A bit is 1 where the sign is -1, so that a label without noise is the sum over GF(2).
    """

    def __init__(self, task: SparseParity, seed: int, batch_size: int) -> None:
        """batch_size: of the training."""
        self._task, self._seed, self._size = task, seed, batch_size
        world = task.world(Stream.from_seed(seed, Purpose.WORLD))
        self.support = tuple(sorted(world.tolist()))
        self._world = world
        self._x = np.empty((0, task.n), np.uint8)
        self._y = np.empty(0, np.uint8)

    def first(self, count: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Bits x (count, n) and y (count,)."""
        while len(self._y) < count:
            rng = Stream.from_seed(self._seed, Purpose.TRAIN, len(self._y) // self._size)
            batch = self._task.sample(self._world, rng, self._size)
            self._x = np.concatenate([self._x, (batch.x.numpy() < 0).astype(np.uint8)])
            self._y = np.concatenate([self._y, (batch.y.numpy() < 0).astype(np.uint8)])
        return self._x[:count], self._y[:count]


@lru_cache(maxsize=16)
def subsets(n: int, size: int) -> NDArray[np.intp]:
    """(C(n, size), size) all subsets of 0..n-1, in lexicographic order."""
    return np.array(list(combinations(range(n), size)), np.intp).reshape(-1, size)


def packed(bits: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Bits (m, c) as words (c, ceil(m / 64)); what is beyond m is 0."""
    padded = np.zeros((-(-len(bits) // WORD) * WORD, bits.shape[1]), np.uint8)
    padded[: len(bits)] = bits
    return np.ascontiguousarray(np.packbits(padded, axis=0).T).view(np.uint64)


def sums(words: NDArray[np.uint64], chosen: NDArray[np.intp]) -> NDArray[np.uint64]:
    """The sum over GF(2) of each subset of columns: (S, w) from (c, w) and (S, size)."""
    found = np.zeros((len(chosen), words.shape[1]), np.uint64)
    for column in chosen.T:
        found ^= words[column]
    return found
