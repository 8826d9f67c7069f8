"""The Model contract: a builder of an ordinary nn.Module, with its training recipe."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.interface import Interface, Port
from synthbench.contracts.recipe import Recipe
from synthbench.errors import InterfaceError

if TYPE_CHECKING:
    from torch import nn


class Model(Configuration, ABC):
    """Builds a single-replica module for a task's interface.

    `build` may use torch's global generator as ordinary modules do when they initialize
    their weights: the engine seeds it, per replica, from the `init` stream. The module's
    forward pass must use no randomness but `synthbench.Dropout`.
    """

    inputs: ClassVar[tuple[type[Port], ...]]
    """The kinds of input the model takes."""
    outputs: ClassVar[tuple[type[Port], ...]]
    """The kinds of output it can give."""
    takes_shorter: ClassVar[bool] = False
    """Whether a network built for the longest sequence of a task also takes shorter ones."""

    recipe: Recipe = Recipe()

    @abstractmethod
    def build(self, interface: Interface) -> nn.Module:
        """A freshly initialized module with `forward(x: (B, ...)) -> (B, ...)`."""

    def check_accepts(self, interface: Interface) -> None:
        """Raise InterfaceError, saying what is accepted, unless the model fits the interface."""
        for port, kinds, side in (
            (interface.input, self.inputs, "input"),
            (interface.output, self.outputs, "output"),
        ):
            if not isinstance(port, kinds):
                allowed = " or ".join(kind.__name__ for kind in kinds)
                raise InterfaceError(
                    f'model "{self.name}" cannot take this task: its {side} must be {allowed}, '
                    f"the task's is {type(port).__name__}: {port.describe()}"
                )
