"""Learning-rate schedules of a recipe."""

from __future__ import annotations

import math
from collections.abc import Callable

from synthbench.contracts.recipe import Recipe


def learning_rate_factor(recipe: Recipe, steps: int) -> Callable[[int], float]:
    """Multiplier of `lr` for the update after `step` finished ones, over a budget of `steps`."""
    warmup, final = recipe.warmup, recipe.lr_final

    def decayed(step: int) -> float:
        if recipe.schedule == "constant":
            return 1.0
        if recipe.schedule == "inverse-sqrt":
            # Continuous with the warm-up; without one, the decay begins at the first step.
            reference = max(warmup, 1)
            return math.sqrt(reference / max(step, reference))
        if recipe.schedule == "warmup-stable-decay":
            length = max(1, round(recipe.decay * steps))
            progress = (step - (steps - length)) / length
            return 1 - (1 - final) * min(max(progress, 0.0), 1.0)
        progress = min(max(step - warmup, 0) / max(steps - warmup, 1), 1.0)
        remaining = 1 - progress if recipe.schedule == "linear" else _half_cosine(progress)
        return final + (1 - final) * remaining

    return lambda step: min(1.0, (step + 1) / warmup if warmup else 1.0) * decayed(step)


def _half_cosine(progress: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * progress))
