"""The test sets of a task, for all replicas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.interface import Interface
from synthbench.contracts.samples import CALLS_APART
from synthbench.contracts.task import Task
from synthbench.contracts.test_set import TestSet
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.data.sampling import as_batch, batch_at, draw_steps, rows_of
from synthbench.plan.protocol import Protocol
from synthbench.streams import Purpose, Stream


@dataclass(frozen=True)
class HeldOut:
    """One test set.

    name: "" for the first, whose scores have no suffix. place: its number among the task's.
    """

    task: Task
    name: str
    place: int
    test_set: TestSet

    @property
    def interface(self) -> Interface:
        """Of its examples."""
        return self.test_set.interface or self.task.interface

    @property
    def is_whole(self) -> bool:
        """Whether it is a finite set, scored whole."""
        return self.test_set.whole is not None

    def references(self, world: World, batch: Batch) -> Mapping[str, Tensor]:
        """Outputs of known strategies on one replica's examples of it."""
        own = self.test_set.references
        return self.task.references(world, batch) if own is None else own(world, batch)

    def batches(self, worlds: World, keys: Tensor, protocol: Protocol) -> Iterator[Batch]:
        """Its examples, batch by batch: leaves (R, B, ...).

        worlds: of the R replicas; keys: (R, 2) words of their `eval` seeds. A sampler gives as many
        as the protocol says; a finite set is given whole, the last batch being smaller.
        """
        size = protocol.evaluation_batch
        if self.is_whole:
            everything = self.everything(worlds)
            rows = everything.x.shape[1]
            for start in range(0, rows, size):
                yield rows_of(everything, start, min(start + size, rows))
            return
        for index in range(protocol.evaluation_samples // size):
            yield self.drawn(worlds, keys, index, size)

    def everything(self, worlds: World) -> Batch:
        """All examples of a finite set: leaves (R, N, ...)."""
        whole = self.test_set.whole
        assert whole is not None
        return as_batch(over_replicas(whole)(worlds))

    def drawn(self, worlds: World, keys: Tensor, index: int, size: int) -> Batch:
        """One batch of a sampler, by its number: leaves (R, size, ...)."""
        calls = self.place * CALLS_APART

        def draw(world: World, key: Tensor, step: Tensor) -> Batch:
            return self.sample(world, Stream(key, Purpose.EVAL, step, calls), size)

        return batch_at(draw_steps(draw, worlds, keys, range(index, index + 1)), 0)

    def sample(self, world: World, rng: Stream, size: int) -> Batch:
        """Examples of one replica; of a finite set, rows drawn with replacement."""
        if self.test_set.sample is not None:
            return self.test_set.sample(world, rng, size)
        assert self.test_set.whole is not None
        rows = self.test_set.whole(world)
        chosen = rng.integers(rows.x.shape[0], (size,))
        return as_batch(tree_map(lambda leaf: leaf[chosen], rows))


def held_out_sets(task: Task) -> list[HeldOut]:
    """The test sets of a task in their order; the first has no name of its own here."""
    return [
        HeldOut(task, name if place else "", place, test_set)
        for place, (name, test_set) in enumerate(task.test_sets().items())
    ]
