"""How the blocks of a cell are trained here: chosen once, kept with what is unfinished."""

from __future__ import annotations

from dataclasses import dataclass

from synthbench.engine.axis.way import Executor, Way


@dataclass(frozen=True)
class TrainingChoice:
    """widest: replicas of a block at most. executor: of recorded steps. threads: of torch."""

    way: Way
    widest: int
    executor: Executor = Executor.REPLAYED
    threads: int = 1
