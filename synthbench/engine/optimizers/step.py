"""A step of the optimizers of all replicas: what its kinds have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from torch import Tensor

from synthbench.engine.axis.state import State


class ReplicaStep(ABC):
    """A step of every replica's own optimizer."""

    failure: Exception | None = None

    @abstractmethod
    def step(self, gradients: State, factor: float, finite: Tensor) -> None:
        """Change the parameters. factor: of every learning rate. finite: (R,) which to step."""

    @abstractmethod
    def state(self) -> Any:
        """Tensors and plain Python values, in dicts and lists: for a checkpoint."""

    @abstractmethod
    def load(self, state: Any) -> None:
        """Take back what `state` gave."""


class NotVmappable(Exception):
    """Why one set of optimizers cannot stand for those of all replicas."""
