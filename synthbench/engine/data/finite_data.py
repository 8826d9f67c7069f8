"""Training on a fixed set of samples, reshuffled every epoch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.samples import DRAWN_AT_ONCE
from synthbench.contracts.task import Task
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.data.sampling import as_batch, draw_batches
from synthbench.streams import Purpose, Stream


class FiniteData:
    """The m training samples of every replica, and the order in which steps take them.

    The samples are the first m of the replica's `train` stream, those of the exported `train`
    split. Epoch e visits them in the order of a permutation that is a function of (seed, e), so
    nothing is stored but the samples. Batches run on across epochs: step s takes the places
    s B, ..., s B + B - 1 of the endless sequence of epochs.
    """

    def __init__(self, task: Task, worlds: World, keys: Tensor, samples: int) -> None:
        """worlds: of the R replicas; keys: (R, 2) words of their `train` seeds; samples: m."""
        counters = range(-(-samples // DRAWN_AT_ONCE))
        drawn = draw_batches(task, worlds, keys, Purpose.TRAIN, counters, DRAWN_AT_ONCE)
        self.samples = as_batch(tree_map(lambda leaf: _joined(leaf)[:, :samples], drawn))
        """Leaves (R, m, ...)."""
        self._keys, self._count = keys, samples

    def batches(self, steps: range, size: int) -> Batch:
        """The batches of consecutive steps: leaves (steps, R, B, ...)."""
        places = torch.arange(steps.start * size, steps.stop * size, device=self._keys.device)
        epochs = places // self._count
        # Without asking the device: the ends are known.
        first = steps.start * size // self._count
        last = (steps.stop * size - 1) // self._count
        orders = torch.stack([self._order(epoch) for epoch in range(first, last + 1)], dim=1)
        chosen = orders[:, epochs - first, places % self._count]
        rows = torch.arange(len(self._keys), device=self._keys.device)[:, None]

        def take(leaf: Tensor) -> Tensor:
            taken = leaf[rows, chosen]
            cut = taken.reshape(len(leaf), len(steps), size, *leaf.shape[2:])
            return cut.transpose(0, 1)

        return as_batch(tree_map(take, self.samples))

    def _order(self, epoch: int) -> Tensor:
        """(R, m) the permutation of every replica."""

        def order(key: Tensor) -> Tensor:
            return Stream(key, Purpose.SHUFFLE, epoch).permutation(self._count)

        return over_replicas(order)(self._keys)


def _joined(leaf: Tensor) -> Tensor:
    """(counters, R, B, ...) -> (R, counters B, ...)."""
    return leaf.transpose(0, 1).reshape(leaf.shape[1], -1, *leaf.shape[3:])
