"""What the exact oracles of several tasks have in common."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

import synthbench as sb


def world_of(task: sb.Task, seed: int = 0) -> object:
    """The world of a replica, as the engine draws it for that seed."""
    return task.world(sb.Stream.from_seed(seed, sb.Purpose.WORLD))


def value(score: Tensor | sb.Mean) -> float:
    """A score of one batch."""
    if isinstance(score, sb.Mean):
        asked = score.weights > 0
        score = (score.values[asked] * score.weights[asked]).sum() / score.weights.sum()
    return float(score)


def reference_scores(task: sb.Task, world: object, batch: sb.Batch) -> Mapping[str, float]:
    """The first score of every reference on one batch."""
    scored = {name: task.score(o, batch) for name, o in task.references(world, batch).items()}
    return {name: value(next(iter(scores.values()))) for name, scores in scored.items()}


def last_row(result: sb.CellResult, replica: int) -> dict[str, object]:
    """A replica's last evaluation."""
    rows = [row for row in result.trajectories if row["replica"] == replica]
    return rows[-1]
