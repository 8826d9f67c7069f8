"""How the blocks of a cell are trained here: chosen once, kept with what is unfinished."""

from __future__ import annotations

from dataclasses import dataclass

from synthbench.engine.axis.way import Executor, Way
from synthbench.engine.training.block import NARROWEST

WORTH_A_BLOCK = 2.0
"""Seconds of training for which a block of their own is worth its set-up, and traces anew."""


@dataclass(frozen=True)
class TrainingChoice:
    """widest: replicas of a block at most. executor: of recorded steps. threads: of torch."""

    way: Way
    widest: int
    executor: Executor = Executor.REPLAYED
    threads: int = 1


def spread(widest: int, replicas: int, seconds: float | None, parts: int) -> int:
    """Replicas of a block at most, so that there are `parts` blocks, or `widest` if that is less.

    seconds: of all steps to come, None where they are unknown; fewer parts where they are few.
    """
    if seconds is not None:
        parts = min(parts, int(seconds / WORTH_A_BLOCK))
    if parts < 2:
        return widest
    return min(widest, max(-(-replicas // parts), NARROWEST))
