"""What the laws of tasks look at: the task, and what was drawn from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.interface import Interface
from synthbench.contracts.task import Task
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.data.sampling import as_batch, draw_batch, draw_worlds
from synthbench.registry.kinds import TASK, Kind
from synthbench.streams import Purpose, Stream, keys_of
from synthbench.testing.workbench.kept import Kept

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

    constant_world: whether the fields leave nothing of the hidden truth to draw.
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
    def large(self) -> int:
        """Examples of a batch for statistics."""
        numbers = max(1, torch.Size(self.interface.input.shape).numel())
        wanted = min(max(NUMBERS_AT_ONCE // (16 * numbers), LARGE[0]), LARGE[1])
        return wanted - wanted % LARGE_MULTIPLE

    def world(self, seed: int = 0) -> World:
        """The hidden truth of a seed."""
        return self._kept.get(
            ("world", seed), lambda: self.subject.world(Stream.from_seed(seed, Purpose.WORLD))
        )

    def batch(
        self, seed: int, purpose: Purpose = Purpose.TRAIN, step: int = 0, size: int = SIZE
    ) -> Batch:
        """A batch from the world of seed 0, by the stream of `seed`."""

        def draw() -> Batch:
            stream = Stream.from_seed(seed, purpose, step)
            return self.subject.sample(self.world(), stream, size)

        return self._kept.get(("batch", seed, purpose, step, size), draw)

    def references(self, seed: int = 0) -> dict[str, Tensor]:
        """The references' outputs on an evaluation batch."""
        return self._kept.get(
            ("references", seed),
            lambda: dict(self.subject.references(self.world(), self.batch(seed, Purpose.EVAL))),
        )

    def generic_output(self, size: int = SIZE, seed: int = 0) -> Tensor:
        """What an untrained network might say: normal numbers (size, ...)."""
        shape = (size, *self.interface.output.shape)
        return Stream.from_seed(seed, Purpose.TEST).normal(shape)

    def together(self, seeds: Sequence[int], size: int = SIZE) -> tuple[World, Batch]:
        """Worlds (R, ...) and evaluation batches (R, size, ...), drawn under vmap."""

        def draw() -> tuple[World, Batch]:
            keys = keys_of(list(seeds))
            worlds = draw_worlds(self.subject, keys)
            return worlds, draw_batch(self.subject, worlds, keys, Purpose.EVAL, 0, size)

        return self._kept.get(("together", tuple(seeds), size), draw)

    def reference_outputs(self, seeds: Sequence[int], size: int) -> dict[str, Tensor]:
        """The references' outputs (R, size, ...) on those batches."""
        return self._kept.get(
            ("outputs", tuple(seeds), size),
            lambda: over_replicas(
                lambda world, batch: dict(self.subject.references(world, as_batch(batch)))
            )(*self.together(seeds, size)),
        )

    def ranked(self, outputs: Tensor, batches: Batch) -> Tensor:
        """The ranked score (R,) float64 of outputs (R, size, ...)."""

        def score(output: Tensor, batch: Batch) -> Tensor:
            return next(iter(self.subject.score(output, as_batch(batch)).values()))

        return over_replicas(score)(outputs, batches).double()
