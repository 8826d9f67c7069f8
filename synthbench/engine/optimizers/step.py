"""A step of the optimizers of all replicas: what its kinds have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from synthbench.engine.axis.state import State

Closures = Sequence[Callable[[], Tensor]]
"""For every replica: zeroes its own gradients, runs forward and backward, returns the loss."""


class ReplicaStep(ABC):
    """A step of every replica's own optimizer."""

    failure: Exception | None = None
    closures: Closures | None = None

    @abstractmethod
    def step(self, gradients: State | None, factor: float, alive: Tensor) -> None:
        """Change the parameters.

        gradients: (R, ...); None where each replica's own parameters have theirs. factor: of every
        learning rate. alive: (R,) which to step.
        """

    @abstractmethod
    def narrow(self, rows: Sequence[int]) -> None:
        """Go on with some of the replicas; parameters have been narrowed already."""

    @abstractmethod
    def set_mode(self, training: bool) -> None:
        """Call `train()` or `eval()` of the optimizers that have them."""

    @abstractmethod
    def state(self) -> Any:
        """Tensors and plain Python values, in dicts and lists: for a checkpoint."""

    @abstractmethod
    def load(self, state: Any) -> None:
        """Take back what `state` gave."""


class NotVmappable(Exception):
    """Why one set of optimizers cannot stand for those of all replicas."""
