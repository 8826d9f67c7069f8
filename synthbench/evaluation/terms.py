"""On which terms the jobs of an evaluation are done."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Terms:
    """What the workers decide of how stacks are trained.

    remote: whether jobs are done in other processes. available: threads of a CPU that a job may
    use. parts: blocks that a stack should make, where they are not soon done. checkpoints: where
    those of blocks go; None for the folders of their cells.
    """

    remote: bool
    available: int
    parts: int
    checkpoints: Path | None = None


STACKS_PER_WORKER = 4
"""With so many stacks for each worker it is no loss that they end at different times."""


def parts_of_stacks(workers: int, stacks: int) -> int:
    """How many blocks each of some stacks should make, so that all workers have work to the end."""
    return min(workers, -(-STACKS_PER_WORKER * workers // max(stacks, 1)))
