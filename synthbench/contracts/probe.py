"""The Probe contract: something measured on the network while it trains."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from synthbench.contracts.configuration import Configuration

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench.contracts.batch import Batch, Loss, World
    from synthbench.contracts.task import Task
    from synthbench.streams import Stream


@dataclass
class Activations:
    """What a network computed on the way, by the names its modules have.

    outputs: module path -> its output, such as `blocks.0` -> (B, T, width); the last one where
    a module ran several times. inputs: module path -> its first argument. attention: the
    attention maps in the order of their computation, each (B, ..., T, T) with rows that sum to 1:
    every softmax over the last axis whose last two axes are equal, every
    `scaled_dot_product_attention`, and every `nn.MultiheadAttention`.
    """

    outputs: dict[str, Tensor] = field(default_factory=dict)
    inputs: dict[str, Tensor] = field(default_factory=dict)
    attention: list[Tensor] = field(default_factory=list)


@dataclass(frozen=True)
class View:
    """What a probe may look at, for one replica at one evaluation point.

    parameters, initial: the module's parameters by name, now and at initialization.
    forward: the network as a function, `forward(parameters, x: (B, ...)) -> (B, ...)`.
    record: the same, returning what happened inside: `record(parameters, x) -> Activations`.
    loss: the training loss, `loss(output, batch) -> scalar`. batch: an evaluation batch;
    sample: `sample(size) -> Batch` draws fresh ones; rng: the replica's `probe` stream. Both
    give the same numbers at every evaluation point.
    """

    task: Task
    parameters: Mapping[str, Tensor]
    initial: Mapping[str, Tensor]
    forward: Callable[[Mapping[str, Tensor], Tensor], Tensor]
    record: Callable[[Mapping[str, Tensor], Tensor], Activations]
    loss: Loss
    world: World
    batch: Batch
    sample: Callable[[int], Batch]
    rng: Stream

    def reading_input(self, size: int) -> list[str]:
        """Names of the parameters that read x and have a last axis of `size`: first layers.

        A module's own parameters, and those of submodules which are given x.
        """
        x = self.batch.x
        inputs = self.record(self.parameters, x).inputs
        paths = {name: name.rpartition(".")[0] for name in self.parameters}
        reading = [name for name, path in paths.items() if not path or inputs.get(path) is x]
        shapes = {name: self.parameters[name].shape for name in reading}
        return [name for name, shape in shapes.items() if shape and shape[-1] == size]


class Probe(Configuration, ABC):
    """Measures named numbers or curves on a network at every evaluation point, changing nothing."""

    @abstractmethod
    def measure(self, view: View) -> Mapping[str, Tensor]:
        """Named values for one replica: scalars, or (m,) for a curve that is one quantity.

        A trajectory's columns are `<probe>/<name>`.
        """
