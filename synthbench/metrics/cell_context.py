"""What a cell's metrics need beside its trajectories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from synthbench.metrics.time_to_target import Target

Array = NDArray[np.float64]


@dataclass(frozen=True)
class CellContext:
    """What a cell's metrics need beside its trajectories.

    points: (E,) all evaluation points of the protocol, in samples; step: samples per optimizer
    step. diverged: (R,) bool. references: for each replica, what each named strategy scores on
    its held-out samples (the ranked score). initializations: how many initialization seeds
    were crossed with the data seeds, replica by replica in rows; None without such a design.
    ceiling: the strategy at which progress is 1. watched: (R,) samples up to which each replica
    was watched; None: all to the end of the budget, or to their solving.
    """

    target: Target
    points: Array
    step: int
    diverged: Sequence[bool]
    references: Sequence[Mapping[str, float]]
    initializations: int | None = None
    ceiling: str = "optimal"
    watched: Array | None = None

    def ends(self) -> Array:
        """(R,) samples at which each replica is censored."""
        if self.watched is not None:
            return self.watched
        return np.full(len(self.diverged), self.target.budget, float)

    def of(self, replicas: Sequence[int]) -> CellContext:
        """What the metrics of some replicas need, without the design."""
        return replace(
            self,
            diverged=[self.diverged[r] for r in replicas],
            references=[self.references[r] for r in replicas],
            watched=None if self.watched is None else self.watched[list(replicas)],
            initializations=None,
        )

    def independent(self) -> list[int] | None:
        """`independent_replicas` of this cell."""
        return independent_replicas(len(self.diverged), self.initializations)


def independent_replicas(replicas: int, initializations: int | None) -> list[int] | None:
    """Replicas of a crossed design no two of which share a seed; None without such a design.

    Those that share an initialization or their data are not independent, and intervals and
    tests that took them so would be far too sure. The design goes row by row: initialization
    i is taken with data seed i.
    """
    if initializations is None:
        return None
    columns = replicas // initializations
    return [i * columns + i for i in range(min(initializations, columns))]
