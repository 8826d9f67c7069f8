"""What models give back: margins, real values, and log-odds of classes or of symbols."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from synthbench.contracts.input_ports import sizes
from synthbench.contracts.losses import (
    CLASS_LOSSES,
    MARGIN_LOSSES,
    NEXT_TOKEN_LOSSES,
    REGRESSION_LOSSES,
)
from synthbench.contracts.port import Port
from synthbench.errors import ConfigurationError

if TYPE_CHECKING:
    from torch import Tensor

    from synthbench.contracts.batch import Loss
    from synthbench.streams import Stream


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

    @classmethod
    def examples(cls) -> tuple[Port, ...]:
        """The one there is."""
        return (cls(),)

    def labels(self, rng: Stream, size: int) -> Tensor:
        """Fair signs."""
        return rng.signs((size,))

    def losses(self) -> Mapping[str, Loss]:
        """`MARGIN_LOSSES`."""
        return MARGIN_LOSSES


@dataclass(frozen=True)
class Margins(Port):
    """n margins per example: `output` has shape (B, n).

    Their losses (`MARGIN_LOSSES`) take labels `y` of -1 and +1, floating-point, of shape (B, n);
    those of -100 are not asked for. causal: margin t belongs to position t of the input and may
    depend on positions up to t alone.
    """

    n: int
    causal: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """(n,)."""
        return (self.n,)

    def describe(self) -> str:
        """`margins (n=8)`, `causal margins (n=8)`."""
        return f"{'causal ' if self.causal else ''}margins (n={self.n})"

    @classmethod
    def examples(cls) -> tuple[Port, ...]:
        """Three margins, and one for each of seven positions."""
        return cls(3), cls(7, causal=True)

    def labels(self, rng: Stream, size: int) -> Tensor:
        """Fair signs."""
        return rng.signs((size, self.n))

    def losses(self) -> Mapping[str, Loss]:
        """`MARGIN_LOSSES`."""
        return MARGIN_LOSSES


@dataclass(frozen=True, init=False)
class Value(Port):
    """Real numbers to be predicted: `output` has shape (B, *shape), and so has `y`, float.

    Its losses (`REGRESSION_LOSSES`) leave out labels of NaN. causal: the first axis goes along
    the positions of the input, and the values at position t may depend on positions up to t
    alone.
    """

    shape: tuple[int, ...] = ()
    causal: bool = False

    def __init__(self, *shape: int, causal: bool = False) -> None:
        """shape: of one example's values; none for a single number, `Value()`, `Value(3)`."""
        if causal and not shape:
            raise ConfigurationError("a causal Value needs positions; say Value(length, ...)")
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "causal", causal)

    def __repr__(self) -> str:
        """`Value(20, 3, causal=True)`."""
        given = [*map(str, self.shape), *(["causal=True"] if self.causal else [])]
        return f"Value({', '.join(given)})"

    def describe(self) -> str:
        """`value (1)`, `causal value (20 x 3)`."""
        return f"{'causal ' if self.causal else ''}value ({sizes(self.shape)})"

    @classmethod
    def examples(cls) -> tuple[Port, ...]:
        """A number, a vector of two, and one vector for each of seven positions."""
        return cls(), cls(2), cls(7, 2, causal=True)

    def losses(self) -> Mapping[str, Loss]:
        """`REGRESSION_LOSSES`."""
        return REGRESSION_LOSSES


@dataclass(frozen=True)
class ClassLogits(Port):
    """Log-odds of the class of an example: `output` has shape (B, classes).

    Its losses (`CLASS_LOSSES`) take labels `y` of 0..classes-1, int64, of shape (B,); those of
    -100 are not asked for.
    """

    classes: int

    @property
    def shape(self) -> tuple[int, ...]:
        """(classes,)."""
        return (self.classes,)

    def describe(self) -> str:
        """`class logits (classes=10)`."""
        return f"class logits (classes={self.classes})"

    @classmethod
    def examples(cls) -> tuple[Port, ...]:
        """Four classes."""
        return (cls(4),)

    def labels(self, rng: Stream, size: int) -> Tensor:
        """Uniform classes."""
        return rng.integers(self.classes, (size,))

    def losses(self) -> Mapping[str, Loss]:
        """`CLASS_LOSSES`."""
        return CLASS_LOSSES


@dataclass(frozen=True)
class TokenLogits(Port):
    """Log-odds of a symbol at every position: `output` has shape (B, length, vocabulary).

    Of the next symbol, or of any other that belongs to the position: the vocabulary is the
    output's own. Its losses (`NEXT_TOKEN_LOSSES`) take labels `y` of 0..vocabulary-1, int64, of
    shape (B, length); those of -100 are not asked for. causal: position t may depend on
    positions up to t alone; False for an encoder, which labels a sequence that it sees whole.
    """

    vocabulary: int
    length: int
    causal: bool = True

    @property
    def shape(self) -> tuple[int, ...]:
        """(length, vocabulary)."""
        return (self.length, self.vocabulary)

    @property
    def positions(self) -> int:
        """As many as the sequence is long."""
        return self.length

    def describe(self) -> str:
        """`token logits (vocabulary=2, length=100)`."""
        kind = "token logits" if self.causal else "token logits of the whole sequence"
        return f"{kind} (vocabulary={self.vocabulary}, length={self.length})"

    @classmethod
    def examples(cls) -> tuple[Port, ...]:
        """Of three symbols at seven positions, from what came before or from the whole."""
        return cls(3, 7), cls(3, 7, causal=False)

    def labels(self, rng: Stream, size: int) -> Tensor:
        """Uniform symbols."""
        return rng.integers(self.vocabulary, (size, self.length))

    def losses(self) -> Mapping[str, Loss]:
        """`NEXT_TOKEN_LOSSES`."""
        return NEXT_TOKEN_LOSSES
