"""Which replicas have solved, diverged or run out of budget: bookkeeping per evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass
class Outcomes:
    """The state of R replicas, updated at each evaluation point.

    A replica's own scores alone decide when it stops, so its trajectory ends at the same
    point whatever its neighbours do. `last[r]` is the index of its last evaluation, -1
    while it runs.
    """

    replicas: int
    hold: int
    stop_when_solved: bool
    hits: NDArray[np.int64] = field(init=False)
    solved: NDArray[np.bool_] = field(init=False)
    diverged: NDArray[np.bool_] = field(init=False)
    last: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        """Every replica starts unsolved and running."""
        self.hits = np.zeros(self.replicas, np.int64)
        self.solved = np.zeros(self.replicas, bool)
        self.diverged = np.zeros(self.replicas, bool)
        self.last = np.full(self.replicas, -1, np.int64)

    def update(
        self, index: int, met: NDArray[np.bool_], finite: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Take in one evaluation; returns which replicas stop at it.

        met, finite: (R,) whether the target is met, and whether the scores are numbers. A
        replica that is no longer finite stops at its previous evaluation, the last one that means
        anything (or at its first, if it never was).
        """
        running = self.running
        self.diverged |= running & ~finite
        self.last[running & ~finite] = max(index - 1, 0)
        alive = running & finite
        self.hits = np.where(alive & met, self.hits + 1, 0)
        self.solved |= alive & (self.hits >= self.hold)
        stopping = alive & self.solved if self.stop_when_solved else np.zeros_like(alive)
        self.last[stopping] = index
        return stopping

    def finish(self, index: int) -> NDArray[np.bool_]:
        """Stop every replica that still runs at the end of the budget; returns which."""
        stopping = self.running
        self.last[stopping] = index
        return stopping

    @property
    def running(self) -> NDArray[np.bool_]:
        """(R,) True for replicas that still train."""
        return self.last < 0
