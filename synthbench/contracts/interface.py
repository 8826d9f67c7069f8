"""What a task gives to a model and expects back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass


class Port(ABC):
    """One side of an interface: the meaning and the shape of a tensor, without its batch axis."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, ...]:
        """Shape of one example."""

    @abstractmethod
    def describe(self) -> str:
        """A few words for `synthbench show` and for error messages."""


@dataclass(frozen=True)
class Signs(Port):
    """A vector of n signs, float -1 or +1: `x` has shape (B, n)."""

    n: int

    @property
    def shape(self) -> tuple[int, ...]:
        """(n,)."""
        return (self.n,)

    def describe(self) -> str:
        """`signs (n=40)`."""
        return f"signs (n={self.n})"


@dataclass(frozen=True)
class Margin(Port):
    """One real number per example whose sign is the predicted class: `output` has shape (B,).

    Its losses (`MARGIN_LOSSES`) take labels `y` of -1 and +1, floating-point, of shape (B,).
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """()."""
        return ()

    def describe(self) -> str:
        """`margin`."""
        return "margin"


@dataclass(frozen=True)
class Tokens(Port):
    """A sequence of symbols 0..vocabulary-1: `x` is int64 of shape (B, length)."""

    vocabulary: int
    length: int

    @property
    def shape(self) -> tuple[int, ...]:
        """(length,)."""
        return (self.length,)

    def describe(self) -> str:
        """`tokens (vocabulary=2, length=100)`."""
        return f"tokens (vocabulary={self.vocabulary}, length={self.length})"


@dataclass(frozen=True)
class TokenLogits(Port):
    """Log-odds of the next symbol at every position: `output` has shape (B, length, vocabulary)."""

    vocabulary: int
    length: int

    @property
    def shape(self) -> tuple[int, ...]:
        """(length, vocabulary)."""
        return (self.length, self.vocabulary)

    def describe(self) -> str:
        """`token logits (vocabulary=2, length=100)`."""
        return f"token logits (vocabulary={self.vocabulary}, length={self.length})"


@dataclass(frozen=True)
class Interface:
    """What goes into a model and what must come out."""

    input: Port
    output: Port

    def describe(self) -> str:
        """`signs (n=40) -> margin`."""
        return f"{self.input.describe()} -> {self.output.describe()}"
