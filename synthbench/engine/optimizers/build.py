"""The optimizer of stacked parameters: the core's, or a plugin's with the replica axis added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from torch import Tensor

from synthbench.contracts.recipe import Optimizer, Recipe
from synthbench.engine.optimizers.elementwise import ElementwiseOptimizer
from synthbench.engine.optimizers.owners import Owners
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.engine.optimizers.trial import optimizer_needs
from synthbench.engine.optimizers.trial_steps import parameter_shapes

StackedOptimizer = ElementwiseOptimizer | ReplicaOptimizer


def build_optimizer(
    recipes: Recipe | Sequence[Recipe],
    stacked: Mapping[str, Tensor],
    owners: Owners | None = None,
    keys: Tensor | None = None,
    steps: int = 1,
) -> StackedOptimizer:
    """The optimizer over stacked parameters (R, ...) by name.

    recipes: one for all replicas, or one each, which differ in numbers alone. owners, keys: as for
    `ReplicaOptimizer`. steps: of the whole training, over which a schedule runs.
    """
    first = next(iter(stacked.values()))
    every = [recipes] * first.shape[0] if isinstance(recipes, Recipe) else list(recipes)
    if not isinstance(every[0].optimizer, Optimizer):
        return ElementwiseOptimizer(every, stacked, steps)
    recipe, chosen = every[0], every[0].optimizer
    needs = optimizer_needs(chosen, recipe, parameter_shapes(stacked), first.device.type, owners)
    return ReplicaOptimizer(chosen, recipe, stacked, needs, owners, keys)
