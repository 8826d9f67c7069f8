"""One side of an interface."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

from synthbench.contracts.losses import REGRESSION_LOSSES

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench.contracts.batch import Loss
    from synthbench.streams import Stream


class Port(ABC):
    """One side of an interface: the meaning and the shape of a tensor, without its batch axis.

    `shape` and `describe` make a port. The other methods say what the conformance kit makes up
    for it: numbers of its shape, unless a port knows better.
    """

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""

    @abstractmethod
    def describe(self) -> str:
        """A few words for `synthbench show` and for error messages."""

    @property
    def causal(self) -> bool:
        """Whether position t, along the first axis, may depend on input positions <= t alone."""
        return False

    @property
    def positions(self) -> int | None:
        """How many positions there are, in a sequence or an output for each of them; or None."""
        return self.shape[0] if self.causal else None

    @classmethod
    def examples(cls) -> tuple[Port, ...]:
        """Small instances on which the kit tries models that declare this kind; by default none."""
        return ()

    def draw(self, rng: Stream, size: int) -> Tensor:
        """Made-up values of an input: (size, *shape)."""
        return rng.normal((size, *self.shape))

    def labels(self, rng: Stream, size: int) -> Tensor:
        """Made-up labels, as the losses of an output take them: (size, ...)."""
        return rng.normal((size, *self.shape))

    def losses(self) -> Mapping[str, Loss]:
        """The usual losses of an output by name; the first is the default."""
        return {"square": REGRESSION_LOSSES["square"]}
