"""Drawing the training batches of a task, recorded where the same shapes are drawn again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.task import Task
from synthbench.engine.axis.recording import CannotRecord
from synthbench.engine.axis.tracing import traced
from synthbench.engine.data.sampling import as_batch, draw_counters
from synthbench.streams import Purpose, Stream


class Drawing:
    """`Task.sample_at` of many replicas and steps.

    Most of what drawing small batches takes is entering vmap, and Python. What is drawn a second
    time in some shapes is recorded, and replayed to the same bits from then on.
    """

    def __init__(self, task: Task) -> None:
        """Nothing drawn yet."""
        self.task = task
        self._recorded: dict[int, Callable[..., Any]] = {}
        self._seen: set[tuple[Any, ...]] = set()
        self._recordable = True

    def draw(self, worlds: World, keys: Tensor, steps: range, size: int) -> Batch:
        """The batches of consecutive steps: leaves (steps, R, size, ...).

        worlds: of the R replicas; keys: (R, 2) words of their `train` seeds.
        """
        counters = torch.arange(steps.start, steps.stop, device=keys.device)
        shapes = (
            keys.device,
            size,
            len(steps),
            *(leaf.shape for leaf in tree_leaves(worlds)),
            *keys.shape,
        )
        if shapes in self._seen and self._recordable:
            try:
                if size not in self._recorded:
                    self._recorded[size] = traced(self._function(size))
                return as_batch(self._recorded[size](worlds, keys, counters))
            except CannotRecord:
                self._recordable = False
        self._seen.add(shapes)
        return as_batch(self._function(size)(worlds, keys, counters))

    def _function(self, size: int) -> Any:
        def draw(world: World, key: Tensor, step: Tensor) -> Batch:
            return self.task.sample_at(world, Stream(key, Purpose.TRAIN, step), size, step)

        return lambda worlds, keys, counters: tuple(draw_counters(draw, worlds, keys, counters))
