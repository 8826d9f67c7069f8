"""What the laws of optimizers look at: an optimizer, parameters and gradients of three kinds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import ClassVar

import torch
from torch import Tensor

from synthbench.contracts.recipe import Optimizer, Recipe
from synthbench.engine.optimizers.needs import OptimizerNeeds
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.engine.optimizers.trial import optimizer_needs
from synthbench.engine.optimizers.trial_steps import advance
from synthbench.errors import ModelError
from synthbench.registry.kinds import OPTIMIZER, Kind
from synthbench.streams import Purpose, Stream

SHAPES = {"hidden.weight": (6, 5), "hidden.bias": (6,), "readout.weight": (1, 6)}
STEPS = 5
LEARNING_RATE = 0.01

Named = dict[str, Tensor]


@dataclass
class OptimizerTrial:
    """An optimizer under examination, on the parameters of a small network."""

    subject: Optimizer
    facts: dict[str, str] = field(default_factory=dict)
    kind: ClassVar[Kind[Optimizer]] = OPTIMIZER

    @property
    def recipe(self) -> Recipe:
        """With this optimizer, no weight decay, and a constant rate."""
        return Recipe(optimizer=self.subject, lr=LEARNING_RATE)

    def decaying(self) -> Recipe | None:
        """The recipe with weight decay; None where build refuses it."""
        recipe = self.recipe.model_copy(update={"weight_decay": 0.1})
        try:
            self.stepper(self.start(), recipe)
        except ModelError:
            return None
        return recipe

    def needs(self) -> OptimizerNeeds:
        """What it needs of a training on CPU."""
        return optimizer_needs(self.subject, self.recipe, tuple(SHAPES.items()), "cpu")

    def start(self, seeds: Sequence[int] = (0, 1)) -> Named:
        """Parameters (R, ...), each replica's from its own seed."""
        return _drawn(seeds, step=0)

    def gradients(self, seeds: Sequence[int] = (0, 1), steps: int = STEPS) -> list[Named]:
        """Gradients (R, ...) of every step, each replica's from its own seed."""
        return [_drawn(seeds, step) for step in range(1, steps + 1)]

    def stepper(self, stacked: Named, recipe: Recipe | None = None) -> ReplicaOptimizer:
        """The optimizer over stacked parameters, looped or vmapped as training would."""
        return ReplicaOptimizer(self.subject, recipe or self.recipe, stacked, self.needs())

    def after(
        self,
        start: Named,
        gradients: Sequence[Named],
        recipe: Recipe | None = None,
        factor: float = 1.0,
    ) -> Named:
        """The parameters after one step for each of the gradients, at `factor` times the rate."""
        stacked = {name: tensor.clone() for name, tensor in start.items()}
        stepper = self.stepper(stacked, recipe)
        stepper.param_groups[0]["lr"] *= factor
        advance(stepper, stacked, gradients)
        stepper.eval_mode()
        return stacked


def _drawn(seeds: Sequence[int], step: int) -> Named:
    replicas = [_of_one(seed, step) for seed in seeds]
    return {name: torch.stack([own[name] for own in replicas]) for name in SHAPES}


@cache
def _of_one(seed: int, step: int) -> Named:
    """One replica's numbers, which laws ask for again and again; to be copied, not changed."""
    stream = Stream.from_seed(seed, Purpose.TEST, step)
    return {name: stream.normal(shape) for name, shape in SHAPES.items()}
