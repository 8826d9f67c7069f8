"""What the laws of tasks look at: the task, and what was drawn from it."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeVar

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.interface import Interface
from synthbench.contracts.samples import CALLS_APART
from synthbench.contracts.task import Task
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.data.held_out import HeldOut, held_out_sets
from synthbench.engine.data.sampling import as_batch, draw_worlds
from synthbench.engine.training.score_totals import ScoreTotals, aggregated, score_parts
from synthbench.registry.kinds import TASK, Kind
from synthbench.streams import Purpose, Stream, keys_of
from synthbench.testing.workbench.kept import Kept

T = TypeVar("T")
SIZE = 64
"""Examples of an ordinary batch."""
SEEDS = range(8)
NUMBERS_AT_ONCE = 2**17
"""Input numbers of one replica's large batch, within the limits of LARGE."""
LARGE = (64, 256)
LARGE_MULTIPLE = 8
"""So that it can be cut into equal parts."""


@dataclass
class TaskTrial:
    """A task under examination; whatever is drawn is kept, and drawn with no global generator.

    constant_world: whether the fields leave nothing of the hidden truth to draw. A test set is
    named by its place among the task's; 0 is the first.
    """

    subject: Task
    constant_world: bool = False
    facts: dict[str, str] = field(default_factory=dict)
    kind: ClassVar[Kind[Task]] = TASK
    _kept: Kept = field(default_factory=Kept)

    @property
    def interface(self) -> Interface:
        """The task's."""
        return self.subject.interface

    @property
    def sets(self) -> list[HeldOut]:
        """The test sets, the first one first."""
        return self._kept.get("sets", lambda: held_out_sets(self.subject))

    @property
    def has_train_set(self) -> bool:
        """Whether all examples that may be trained on are known."""
        return self._kept.get("has a training set", lambda: self.train_set() is not None)

    @property
    def large(self) -> int:
        """Examples of a batch for statistics."""
        numbers = max(1, torch.Size(self.interface.input.shape).numel())
        wanted = min(max(NUMBERS_AT_ONCE // (16 * numbers), LARGE[0]), LARGE[1])
        return wanted - wanted % LARGE_MULTIPLE

    def keep(self, key: Hashable, make: Callable[[], T]) -> T:
        """What was made under the key before, or what is made now."""
        return self._kept.get(key, make)

    def world(self, seed: int = 0) -> World:
        """The hidden truth of a seed."""
        return self._kept.get(
            ("world", seed), lambda: self.subject.world(Stream.from_seed(seed, Purpose.WORLD))
        )

    def train_set(self, seed: int = 0) -> Batch | None:
        """The whole training set in the world of a seed, where the task has one."""
        if type(self.subject).train_set is Task.train_set:
            return None
        return self._kept.get(
            ("training set", seed), lambda: self.subject.train_set(self.world(seed))
        )

    def batch(
        self, seed: int, purpose: Purpose = Purpose.TRAIN, step: int = 0, size: int = SIZE
    ) -> Batch:
        """A batch from the world of seed 0, by the stream of `seed`: training, or held out."""
        if purpose == Purpose.EVAL:
            return self.held_out(0, seed, size, step)
        return self._kept.get(
            ("batch", seed, purpose, step, size),
            lambda: self.draw_training(self.world(), seed, size, step),
        )

    def draw_training(self, world: World, seed: int, size: int = SIZE, step: int = 0) -> Batch:
        """A new training batch: fresh examples, or rows of the training set."""
        stream = Stream.from_seed(seed, Purpose.TRAIN, step)
        if not self.has_train_set:
            return self.subject.sample_at(world, stream, size, torch.tensor(step))
        rows = self.subject.train_set(world)
        assert rows is not None
        chosen = stream.integers(rows.x.shape[0], (size,))
        return as_batch(tree_map(lambda leaf: leaf[chosen], rows))

    def held_out(self, place: int, seed: int, size: int = SIZE, step: int = 0) -> Batch:
        """A batch of one test set from the world of seed 0, by the stream of `seed`."""
        return self._kept.get(
            ("held out", place, seed, size, step),
            lambda: self.draw_held_out(self.world(), place, seed, size, step),
        )

    def draw_held_out(
        self, world: World, place: int, seed: int, size: int = SIZE, step: int = 0
    ) -> Batch:
        """New examples of one test set; of a finite one, rows drawn with replacement."""
        stream = Stream(keys_of([seed])[0], Purpose.EVAL, step, place * CALLS_APART)
        return self.sets[place].sample(world, stream, size)

    def references(self, seed: int = 0, place: int = 0) -> dict[str, Tensor]:
        """The references' outputs on a batch of a test set."""
        return self._kept.get(
            ("references", seed, place),
            lambda: dict(self.sets[place].references(self.world(), self.held_out(place, seed))),
        )

    def generic_output(self, size: int = SIZE, seed: int = 0, place: int = 0) -> Tensor:
        """What an untrained network might say: normal numbers (size, ...)."""
        shape = (size, *self.sets[place].interface.output.shape)
        return Stream.from_seed(seed, Purpose.TEST).normal(shape)

    def together(
        self, seeds: Sequence[int], size: int = SIZE, place: int = 0
    ) -> tuple[World, Batch]:
        """Worlds (R, ...) and batches (R, size, ...) of a test set, drawn under vmap."""

        def draw() -> tuple[World, Batch]:
            keys = keys_of(list(seeds))
            worlds = draw_worlds(self.subject, keys)
            return worlds, self.sets[place].drawn(worlds, keys, 0, size)

        return self._kept.get(("together", tuple(seeds), size, place), draw)

    def reference_outputs(
        self, seeds: Sequence[int], size: int, place: int = 0
    ) -> dict[str, Tensor]:
        """The references' outputs (R, size, ...) on those batches."""
        return self._kept.get(
            ("outputs", tuple(seeds), size, place),
            lambda: over_replicas(
                lambda world, batch: dict(self.sets[place].references(world, as_batch(batch)))
            )(*self.together(seeds, size, place)),
        )

    def scores(self, outputs: Tensor, batches: Batch) -> dict[str, Tensor]:
        """What is reported of outputs (R, size, ...): every score, (R, ...) float64."""

        def parts(output: Tensor, batch: Batch) -> dict[str, object]:
            return dict(score_parts(self.subject.score(output, as_batch(batch))))

        totals = ScoreTotals()
        totals.add(over_replicas(parts)(outputs, batches), outputs.shape[1])  # type: ignore[arg-type]
        return aggregated(self.subject, totals.means())

    def ranked(self, outputs: Tensor, batches: Batch) -> Tensor:
        """The ranked score (R,) float64 of outputs (R, size, ...)."""
        return next(iter(self.scores(outputs, batches).values())).double()
