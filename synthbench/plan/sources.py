"""What a cell may stand on: the weights of a finished one, as start, as mask or as teacher."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, Literal, TypeAlias, TypeVar

from synthbench.errors import ConfigurationError

C = TypeVar("C")
At: TypeAlias = "int | Literal['last']"
"""An optimizer step, for the last evaluation at or before it; last: a replica's own last one."""
LAST: Literal["last"] = "last"


@dataclass(frozen=True)
class Weights(Generic[C]):
    """Parameters and buffers with which every replica begins: warm starts, rewinding.

    cell: the finished cell whose replica of the same number gives them; `evaluate` also takes its
    `CellResult`, or a model's reference, in its place. at: when. folder: where that cell lies;
    none: in the folder of the evaluation, into which a missing one is trained first.
    """

    cell: C
    at: At = LAST
    folder: Path | None = field(default=None, compare=False, kw_only=True)

    def __post_init__(self) -> None:
        """Refuse a negative step."""
        _check_moment(self.at)


@dataclass(frozen=True)
class Mask(Generic[C]):
    """Pruning by magnitude: the weights that are zero from the first step to the last.

    Of every replica's parameters with two axes or more, the share `sparsity` that is smallest
    (in absolute value) in `cell` at `at` is removed. scope: among all of them together (global),
    or in each tensor alone (layer). With a `Weights` at an early step this is a lottery ticket
    (Frankle & Carbin 2019). cell, at, folder: as for `Weights`.
    """

    cell: C
    at: At = LAST
    sparsity: float = field(default=0.5, kw_only=True)
    scope: Literal["global", "layer"] = field(default="global", kw_only=True)
    folder: Path | None = field(default=None, compare=False, kw_only=True)

    def __post_init__(self) -> None:
        """Refuse what cannot be removed."""
        _check_moment(self.at)
        if not 0 <= self.sparsity < 1:
            raise ConfigurationError(
                f"sparsity must be at least 0 and below 1, got {self.sparsity}"
            )
        if self.scope not in ("global", "layer"):
            raise ConfigurationError(f"scope must be global or layer, got {self.scope!r}")


@dataclass(frozen=True)
class Teacher(Generic[C]):
    """A frozen network whose outputs on the same batch are the labels (Hinton et al. 2015).

    at: one moment, or several that teach in turn, each for an equal part of the steps
    (progressive distillation, Panigrahi et al. 2024). temperature: divides logits and margins,
    whose divergence is multiplied by its square. hard: share of the recipe's own loss on the
    task's labels. cell, folder: as for `Weights`.
    """

    cell: C
    at: At | tuple[At, ...] = LAST
    temperature: float = field(default=1.0, kw_only=True)
    hard: float = field(default=0.0, kw_only=True)
    folder: Path | None = field(default=None, compare=False, kw_only=True)

    def __post_init__(self) -> None:
        """Refuse what cannot teach."""
        if not self.moments:
            raise ConfigurationError("a teacher needs a step or last, such as at=(500, 'last')")
        for moment in self.moments:
            _check_moment(moment)
        if not 0 < self.temperature < float("inf"):
            raise ConfigurationError(f"temperature must be above 0, got {self.temperature}")
        if not 0 <= self.hard <= 1:
            raise ConfigurationError(f"hard must be from 0 to 1, got {self.hard}")

    @property
    def moments(self) -> tuple[At, ...]:
        """The checkpoints in the order in which they teach."""
        return self.at if isinstance(self.at, tuple) else (self.at,)

    def moment_of(self, step: int, steps: int) -> int:
        """Which of the `moments` teaches at a step, from 0, of a training of so many steps."""
        return step * len(self.moments) // steps


SOURCES = ("teacher", "start", "mask")
"""The fields of a cell, and of its plan, that name others."""
Source: TypeAlias = "Weights[C] | Mask[C] | Teacher[C]"


def moments_of(source: Source[C]) -> tuple[At, ...]:
    """Every moment whose weights a source asks for."""
    return source.moments if isinstance(source, Teacher) else (source.at,)


def _check_moment(at: At) -> None:
    if at != LAST and (isinstance(at, bool) or not isinstance(at, int) or at < 0):
        raise ConfigurationError(f"at must be an optimizer step from 0 on, or last; got {at!r}")
