"""A task of made-up examples, for what the engine asks of a cell before it trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from pydantic import PrivateAttr
from torch import Tensor

from synthbench.contracts.batch import Batch, Loss, World
from synthbench.contracts.interface import Interface
from synthbench.contracts.task import Task
from synthbench.streams import Stream


class MadeUpTask(Task):
    """Random labels, of which nothing can be learned: `example_batch` as a task."""

    name: ClassVar[str] = "made-up"
    ceiling: ClassVar[str] = "trivial"
    _interface: Interface = PrivateAttr()

    @classmethod
    def of(cls, interface: Interface) -> MadeUpTask:
        """The task of that interface."""
        task = cls()
        task._interface = interface
        return task

    @property
    def interface(self) -> Interface:
        """As it was given."""
        return self._interface

    def world(self, rng: Stream) -> World:
        """Nothing is hidden."""
        return torch.zeros(())

    def sample(self, world: World, rng: Stream, size: int) -> Batch:
        """What the ports make up."""
        return Batch(self.interface.input.draw(rng, size), self.interface.output.labels(rng, size))

    def losses(self) -> Mapping[str, Loss]:
        """Those of the output."""
        return self.interface.output.losses()

    def score(self, output: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """The first loss."""
        return {"loss": next(iter(self.losses().values()))(output, batch)}

    def references(self, world: World, batch: Batch) -> Mapping[str, Tensor]:
        """Zeros."""
        return {"trivial": torch.zeros(len(batch.x), *self.interface.output.shape)}

    def exact_scores(self) -> Mapping[str, float]:
        """None is known."""
        return {}
