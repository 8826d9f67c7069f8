"""Training on a fixed set of samples that a curriculum shows differently step by step."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.task import Task
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.rows import rows_of_stack
from synthbench.engine.data.finite_data import Shuffle
from synthbench.engine.data.sampling import as_batch
from synthbench.streams import Purpose, Stream


class CurriculumData:
    """m training samples of every replica under a curriculum (`Task.sample_at`).

    Sample i is drawn from the i-th counter of the `train` stream: the same random numbers at
    every step, of which the curriculum makes an example of that step. So no more than m draws
    are ever seen, and a curriculum that has ended leaves m fixed samples.
    """

    def __init__(self, task: Task, worlds: World, keys: Tensor, samples: int, whole: bool) -> None:
        """worlds: of the R replicas; keys: (R, 2) words of their `train` seeds; samples: m."""
        self._task, self._worlds, self._keys, self._count = task, worlds, keys, samples
        self._order = Shuffle(keys, samples)
        self._whole = whole

    def batches(self, steps: range, size: int) -> Batch:
        """The batches of consecutive steps: leaves (steps, R, B, ...)."""
        device = self._keys.device
        if self._whole:
            every = torch.arange(self._count, device=device)
            chosen = every.repeat(len(steps)).expand(len(self._keys), -1)
        else:
            chosen = self._order.places(steps, size)
        count = chosen.shape[1] // len(steps)
        at = torch.arange(steps.start, steps.stop, device=device).repeat_interleave(count)
        drawn = self._draw(chosen, at)
        return as_batch(
            tree_map(
                lambda leaf: leaf.unflatten(1, (len(steps), count)).transpose(0, 1),
                drawn,
            )
        )

    def samples_at(self, step: int) -> Batch:
        """All samples as they are shown at one step: leaves (R, m, ...)."""
        every = torch.arange(self._count, device=self._keys.device)
        return self._draw(every.expand(len(self._keys), -1), torch.full_like(every, step))

    def narrowed(self, rows: Sequence[int]) -> CurriculumData:
        """The data of some of the replicas."""
        own = rows_of_stack((self._worlds, self._keys), rows)
        return CurriculumData(self._task, *own, self._count, self._whole)

    def _draw(self, numbers: Tensor, steps: Tensor) -> Batch:
        """Samples of given numbers (R, N), each at its step (N,): leaves (R, N, ...)."""

        def one(world: World, key: Tensor, number: Tensor, step: Tensor) -> Batch:
            drawn = self._task.sample_at(world, Stream(key, Purpose.TRAIN, number), 1, step)
            return as_batch(tree_map(lambda leaf: leaf[0], drawn))

        def of_replica(world: World, key: Tensor, own: Tensor) -> Batch:
            return torch.vmap(one, in_dims=(None, None, 0, 0))(world, key, own, steps)

        return as_batch(over_replicas(of_replica)(self._worlds, self._keys, numbers))
