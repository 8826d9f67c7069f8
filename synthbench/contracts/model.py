"""The Model contract: a builder of an ordinary nn.Module, with its training recipe."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from synthbench.contracts.configuration import Configuration
from synthbench.contracts.interface import Interface, Port
from synthbench.contracts.recipe import Recipe
from synthbench.errors import InterfaceError

if TYPE_CHECKING:
    from torch import nn

    from synthbench.contracts.batch import Loss


class Model(Configuration, ABC):
    """Builds a single-replica module for a task's interface.

    `build` may use torch's global generator as ordinary modules do when they initialize
    their weights: the engine seeds it, per replica, from the `init` stream. What the forward
    pass draws by torch's functions comes from the replica's own stream.
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

    def state_size(self, interface: Interface) -> int | None:
        """Numbers that the network carries from one position of a sequence to the next.

        The most there are, over all layers, when it reads the longest sequence one position at a
        time: keys and values of attention, the hidden state of a recurrent network. None:
        unknown, or the network does not read positions one after the other.
        """
        return None

    def training_loss(self, losses: Mapping[str, Loss]) -> str:
        """Which of a task's losses it is trained on, by name.

        The one that the recipe names; or the task's first, where it names none, or where the task
        lacks the one that is this model's default. Another that the task lacks is returned as it
        is, for `Cell.check` to refuse.
        """
        named, usual = self.recipe.loss, type(self).model_fields["recipe"].default
        own_default = usual.loss if isinstance(usual, Recipe) else None
        if named is None or (named not in losses and named == own_default):
            return next(iter(losses))
        return named

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
