"""What models are given: signs, numbers and sequences of symbols or of vectors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthbench.contracts.port import Port

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench.streams import Stream


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

    @classmethod
    def examples(cls) -> tuple[Port, ...]:
        """Twelve signs."""
        return (cls(12),)

    def draw(self, rng: Stream, size: int) -> Tensor:
        """Fair signs."""
        return rng.signs((size, self.n))


@dataclass(frozen=True)
class Tokens(Port):
    """A sequence of symbols 0..vocabulary-1: `x` is int64 of shape (B, length).

    Test sets may have shorter ones, for models whose networks take them (`Model.takes_shorter`).
    """

    vocabulary: int
    length: int

    @property
    def shape(self) -> tuple[int, ...]:
        """(length,)."""
        return (self.length,)

    @property
    def positions(self) -> int:
        """As many as the sequence is long."""
        return self.length

    def describe(self) -> str:
        """`tokens (vocabulary=2, length=100)`."""
        return f"tokens (vocabulary={self.vocabulary}, length={self.length})"

    @classmethod
    def examples(cls) -> tuple[Port, ...]:
        """Seven tokens out of three symbols."""
        return (cls(3, 7),)

    def draw(self, rng: Stream, size: int) -> Tensor:
        """Uniform tokens."""
        return rng.integers(self.vocabulary, (size, self.length))


@dataclass(frozen=True, init=False)
class Reals(Port):
    """Real numbers, such as a vector, a table's row or an image: `x` is float (B, *shape)."""

    shape: tuple[int, ...] = ()

    def __init__(self, *shape: int) -> None:
        """shape: of one example; none for a single number, `Reals(10)`, `Reals(3, 8, 8)`."""
        object.__setattr__(self, "shape", shape)

    def __repr__(self) -> str:
        """`Reals(3, 8, 8)`."""
        return f"Reals({', '.join(map(str, self.shape))})"

    def describe(self) -> str:
        """`reals (3 x 8 x 8)`."""
        return f"reals ({sizes(self.shape)})"

    @classmethod
    def examples(cls) -> tuple[Port, ...]:
        """A vector of six numbers."""
        return (cls(6),)


@dataclass(frozen=True)
class RealSequence(Port):
    """A sequence of real vectors: `x` is float of shape (B, length, size).

    Test sets may have shorter ones, for models whose networks take them (`Model.takes_shorter`).
    """

    length: int
    size: int

    @property
    def shape(self) -> tuple[int, ...]:
        """(length, size)."""
        return (self.length, self.size)

    @property
    def positions(self) -> int:
        """As many as the sequence is long."""
        return self.length

    def describe(self) -> str:
        """`real vectors (length=20, size=5)`."""
        return f"real vectors (length={self.length}, size={self.size})"

    @classmethod
    def examples(cls) -> tuple[Port, ...]:
        """Seven vectors of two numbers."""
        return (cls(7, 2),)


def sizes(shape: tuple[int, ...]) -> str:
    """`3 x 8`, of a shape in words; `1` of a single number."""
    return " x ".join(map(str, shape)) or "1"
