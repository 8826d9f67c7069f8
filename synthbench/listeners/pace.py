"""How long a unit of work takes, from what was measured."""

from __future__ import annotations

import math

RECENT_SECONDS = 20.0
"""What was measured so long ago counts a third of what is measured now."""
FADING = 2
"""And a quarter once as much work again is done: evaluations, at first after every step, come ever
more rarely, and steps between them are faster for it."""


class Pace:
    """Seconds that a unit of work takes: on the whole, and of late."""

    def __init__(self) -> None:
        self.work = self.seconds = 0.0
        self._recent_work = self._recent_seconds = 0.0

    def add(self, work: float, seconds: float) -> None:
        """Take in some work, and how long it took."""
        kept = math.exp(-seconds / RECENT_SECONDS)
        if work:
            kept *= (self.work / (self.work + work)) ** FADING
        self.work += work
        self.seconds += seconds
        self._recent_work = self._recent_work * kept + work
        self._recent_seconds = self._recent_seconds * kept + seconds

    @property
    def recent(self) -> float | None:
        """Of late: what was done long ago counts little. None before any work is done."""
        return self._recent_seconds / self._recent_work if self._recent_work else None

    @property
    def best(self) -> float | None:
        """Of late or on the whole, whichever is faster: the last few that run are slow each."""
        recent = self.recent
        return None if recent is None else min(recent, self.seconds / self.work)
