"""Which weights of a cell are kept beside its record."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from synthbench.errors import ConfigurationError
from synthbench.plan.cell import Cell
from synthbench.plan.schedule import evaluation_steps
from synthbench.plan.sources import LAST, At
from synthbench.records.reading import WEIGHTS_FILE
from synthbench.records.schema import Record
from synthbench.records.weights import kept_steps

KeepWeights: TypeAlias = bool | str | tuple[int, ...]
"""False, True or `last`, `all`, or optimizer steps."""
ALL = "all"


@dataclass(frozen=True)
class KeptWeights:
    """Those of every replica's last evaluation, and of the evaluations at some steps.

    Where there are any, the last ones are among them.
    """

    last: bool = False
    steps: tuple[int, ...] = ()

    def __or__(self, other: KeptWeights) -> KeptWeights:
        """What either of the two keeps."""
        steps = tuple(sorted({*self.steps, *other.steps}))
        return KeptWeights(self.last or other.last, steps)

    def lacking(self, there: KeptWeights) -> bool:
        """Whether something of this is not there."""
        return self | there != there


NO_WEIGHTS = KeptWeights()


def wanted_weights(keep: KeepWeights, cell: Cell) -> KeptWeights:
    """What a setting keeps of a cell: each step is its last evaluation at or before it."""
    check_keep_weights(keep)
    if keep is False:
        return NO_WEIGHTS
    if keep == ALL:
        return KeptWeights(True, tuple(evaluation_steps(cell.steps, cell.protocol.resolution)))
    moments: tuple[At, ...] = keep if isinstance(keep, tuple) else (LAST,)
    return weights_at(cell, moments)


def weights_at(cell: Cell, moments: tuple[At, ...]) -> KeptWeights:
    """Those at some moments, and the last."""
    steps = {cell.evaluated_at(at) for at in moments}
    return KeptWeights(True, tuple(sorted(step for step in steps if isinstance(step, int))))


def found_weights(record: Record, folder: Path) -> KeptWeights:
    """What a finished cell has kept."""
    return KeptWeights(WEIGHTS_FILE in record.files, tuple(kept_steps(record, folder)))


def check_keep_weights(keep: object) -> None:
    """Raise ConfigurationError for what is no such setting."""
    if isinstance(keep, bool) or keep in (LAST, ALL):
        return
    if isinstance(keep, tuple) and keep and all(type(s) is int and s >= 0 for s in keep):
        return
    raise ConfigurationError(
        f"keep_weights must be True, False, last, all or steps such as (0, 500); got {keep!r}"
    )
