"""What a task draws for a replica, as the engine does."""

from __future__ import annotations

from typing import Any

import synthbench as sb


def world_of(task: sb.Task, seed: int = 0) -> Any:
    """The hidden truth of the replica of that seed."""
    return task.world(sb.Stream.from_seed(seed, sb.Purpose.WORLD))


def drawn(task: sb.Task, name: str, size: int) -> sb.Batch:
    """Examples of a test set, by its name, in the world of the first replica."""
    rng = sb.Stream.from_seed(3, sb.Purpose.EVAL)
    return task.test_sets()[name].sample(world_of(task), rng, size)
