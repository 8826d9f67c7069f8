"""The numbers of a recipe at every step, for replicas whose recipes may differ in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from synthbench.contracts.recipe import Recipe
from synthbench.engine.optimizers.schedule import learning_rate_factor

ADAPTIVE = ("first", "new_first", "second", "new_second", "eps", "size")
COLUMNS = {
    "sgd": ("lr", "momentum", "weight_decay", "clip"),
    "adam": (*ADAPTIVE, "weight_decay", "clip"),
    "adamw": (*ADAPTIVE, "kept", "clip"),
}
"""What an update of each optimizer needs.

first, second: what is kept of the moments, and new_... what is added. size, eps: the step size
and epsilon with both corrections of the bias (Kingma & Ba 2015, end of section 2). kept: what
decoupled decay leaves of a weight, 1 - lr weight_decay (Loshchilov & Hutter 2019, algorithm 2).
"""


class Rates:
    """The columns of `COLUMNS` for R replicas over a budget of `total` steps.

    They are computed in double precision and depend on a replica's own recipe and step alone.
    """

    def __init__(self, recipes: Sequence[Recipe], total: int) -> None:
        """recipes: one for each replica; they differ in numbers alone."""
        self.columns = COLUMNS[str(recipes[0].optimizer)]
        # Most blocks hold one recipe, and a grid few.
        distinct = {id(recipe): recipe for recipe in recipes}
        self._recipes = list(distinct.values())
        places = {key: place for place, key in enumerate(distinct)}
        self._rows = torch.tensor([places[id(recipe)] for recipe in recipes])
        self._factors = [learning_rate_factor(recipe, total) for recipe in self._recipes]

    def narrow(self, rows: Sequence[int]) -> None:
        """Go on with some of the replicas alone."""
        self._rows = self._rows.cpu()[list(rows)]

    def at(self, steps: range, dtype: torch.dtype, device: torch.device | None = None) -> Tensor:
        """(K, C, R) of K steps; dtype: of the parameters, single precision at least.

        Those of each recipe go to the device in one copy that nothing waits for.
        """
        made = zip(self._recipes, self._factors, strict=True)
        table = np.stack([_table(r, f, steps, self.columns) for r, f in made], axis=-1)
        wide = torch.promote_types(dtype, torch.float32)
        waits = device is None or device.type != "cuda"
        own = torch.from_numpy(table).to(wide).to(device or "cpu", non_blocking=not waits)
        self._rows = self._rows.to(own.device)
        return own[..., self._rows]

    def learning_rate(self, step: int) -> float:
        """That of the first replica, for whoever watches it."""
        return self._recipes[0].lr * self._factors[0](step)


def _table(
    recipe: Recipe, factor: Callable[[int], float], steps: range, columns: Sequence[str]
) -> NDArray[np.float64]:
    """(K, C) of one recipe."""
    return np.array([[_value(recipe, factor, step, c) for c in columns] for step in steps])


def _value(recipe: Recipe, factor: Callable[[int], float], step: int, column: str) -> float:
    if column in ("momentum", "weight_decay"):
        return float(getattr(recipe, column))
    if column == "clip":
        return math.inf if recipe.clip is None else recipe.clip
    if column in ("first", "new_first"):
        return recipe.beta1 if column == "first" else 1 - recipe.beta1
    if column in ("second", "new_second"):
        return recipe.beta2 if column == "second" else 1 - recipe.beta2
    root = math.sqrt(1 - recipe.beta2 ** (step + 1))
    if column == "eps":
        return recipe.eps * root
    rate = recipe.lr * factor(step)
    if column == "size":
        return rate * root / (1 - recipe.beta1 ** (step + 1))
    return rate if column == "lr" else 1 - rate * recipe.weight_decay
