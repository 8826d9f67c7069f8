"""How replicas are trained: in one of three ways, with or without numbers that they draw.

What is recorded is then executed in one of two ways.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """How losses and gradients of R replicas are computed; the numbers agree to rounding."""

    TRACED = "traced"
    """All at once under `torch.vmap`, recorded once and replayed."""
    STACKED = "stacked"
    """All at once under `torch.vmap`, called at every step."""
    PLAIN = "plain"
    """One after the other: ordinary modules with ordinary autograd."""


class Executor(StrEnum):
    """How the recorded operations of a step run; the numbers agree to rounding."""

    REPLAYED = "replayed"
    """One after the other, by torch's own kernels."""
    COMPILED = "compiled"
    """Fused into kernels that are compiled for these shapes, by torch's inductor."""


@dataclass(frozen=True)
class Draws:
    """The random numbers of a forward pass.

    intercepted: whether it calls functions of torch's that the replica's stream answers.
    generators: whether it draws from a global generator all the same, of Python, of NumPy or of
    torch where it cannot be seen, which then has to be seeded for every replica and step.
    """

    intercepted: bool = False
    generators: bool = False


NOTHING_DRAWN = Draws()


@dataclass(frozen=True)
class Execution:
    """How the replicas of a cell are trained."""

    way: Way = Way.TRACED
    draws: Draws = NOTHING_DRAWN
    executor: Executor = Executor.REPLAYED


BY_DEFAULT = Execution()
