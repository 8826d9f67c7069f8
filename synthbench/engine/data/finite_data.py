"""Training on a fixed set of samples: in batches reshuffled every epoch, or whole."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.samples import DRAWN_AT_ONCE
from synthbench.contracts.task import Task
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.rows import rows_of_stack
from synthbench.engine.data.sampling import as_batch, draw_batches
from synthbench.streams import Purpose, Stream


class FiniteData:
    """The m training samples of every replica, and the order in which steps take them."""

    def __init__(self, samples: Batch, keys: Tensor, *, whole: bool = False) -> None:
        """samples: leaves (R, m, ...); keys: (R, 2) words of the replicas' `train` seeds.

        whole: every step takes all samples, as they lie, instead of a batch of some.
        """
        self.samples, self._keys = samples, keys
        self._order = Shuffle(keys, samples.x.shape[1])
        self._whole = whole

    def batches(self, steps: range, size: int) -> Batch:
        """The batches of consecutive steps: leaves (steps, R, B, ...)."""
        if self._whole:
            return as_batch(tree_map(lambda leaf: leaf.expand(len(steps), *leaf.shape),
                                     self.samples))  # fmt: skip
        chosen = self._order.places(steps, size)
        rows = torch.arange(len(chosen), device=chosen.device)[:, None]

        def take(leaf: Tensor) -> Tensor:
            taken = leaf[rows, chosen]
            cut = taken.reshape(len(leaf), len(steps), size, *leaf.shape[2:])
            return cut.transpose(0, 1)

        return as_batch(tree_map(take, self.samples))

    def samples_at(self, step: int) -> Batch:
        """The samples that are trained on, the same at every step."""
        return self.samples

    def narrowed(self, rows: Sequence[int]) -> FiniteData:
        """The data of some of the replicas."""
        samples, keys = rows_of_stack((self.samples, self._keys), rows)
        return FiniteData(as_batch(samples), keys, whole=self._whole)


class Shuffle:
    """Which of m samples each step takes.

    Epoch e visits them in the order of a permutation that is a function of (seed, e), so
    nothing is stored but the samples. Batches run on across epochs: step s takes the places
    s B, ..., s B + B - 1 of the endless sequence of epochs.
    """

    def __init__(self, keys: Tensor, count: int) -> None:
        """keys: (R, 2) words of the replicas' `train` seeds; count: m."""
        self._keys, self._count = keys, count

    def places(self, steps: range, size: int) -> Tensor:
        """(R, steps B) numbers of the samples, step after step."""
        places = torch.arange(steps.start * size, steps.stop * size, device=self._keys.device)
        epochs = places // self._count
        # Without asking the device: the ends are known.
        first = steps.start * size // self._count
        last = (steps.stop * size - 1) // self._count
        orders = torch.stack([self._order(epoch) for epoch in range(first, last + 1)], dim=1)
        return orders[:, epochs - first, places % self._count]

    def _order(self, epoch: int) -> Tensor:
        """(R, m) the permutation of every replica."""

        def order(key: Tensor) -> Tensor:
            return Stream(key, Purpose.SHUFFLE, epoch).permutation(self._count)

        return over_replicas(order)(self._keys)


def drawn_samples(task: Task, worlds: World, keys: Tensor, samples: int) -> Batch:
    """The first m of every replica's `train` stream, those of the exported `train` split.

    worlds: of the R replicas; keys: (R, 2) words of their `train` seeds. Leaves (R, m, ...).
    """
    counters = range(-(-samples // DRAWN_AT_ONCE))
    drawn = draw_batches(task, worlds, keys, Purpose.TRAIN, counters, DRAWN_AT_ONCE)
    return as_batch(tree_map(lambda leaf: _joined(leaf)[:, :samples], drawn))


def _joined(leaf: Tensor) -> Tensor:
    """(counters, R, B, ...) -> (R, counters B, ...)."""
    return leaf.transpose(0, 1).reshape(leaf.shape[1], -1, *leaf.shape[3:])
