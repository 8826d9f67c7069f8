"""The Probe contract: something measured on the network while it trains."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthbench.configuration import Configuration

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench.streams import Stream
    from synthbench.task import Batch, Task, World


@dataclass(frozen=True)
class View:
    """What a probe may look at, for one replica at one evaluation point.

    parameters, initial: the module's parameters by name, now and at initialization.
    forward: the network as a function, `forward(parameters, x: (B, ...)) -> (B, ...)`.
    batch: an evaluation batch; rng: the replica's `probe` stream, the same at every
    evaluation point.
    """

    task: Task
    parameters: Mapping[str, Tensor]
    initial: Mapping[str, Tensor]
    forward: Callable[[Mapping[str, Tensor], Tensor], Tensor]
    world: World
    batch: Batch
    rng: Stream


class Probe(Configuration, ABC):
    """Measures named scalars on a network at every evaluation point, changing nothing."""

    @abstractmethod
    def measure(self, view: View) -> Mapping[str, Tensor]:
        """Named scalars for one replica; a trajectory's columns are `<probe>/<name>`."""
