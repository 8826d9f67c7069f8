"""Steps of a plugin's optimizer on random gradients, before anything trains."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from synthbench.contracts.recipe import Optimizer, Recipe
from synthbench.engine.axis.state import State
from synthbench.engine.optimizers.needs import OptimizerNeeds
from synthbench.engine.optimizers.owners import Traits
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.errors import ModelError, explain

Shapes = tuple[tuple[str, tuple[int, ...]], ...]
"""(name, shape) of every parameter of one replica."""

REPLICAS, STEPS = 5, 12
"""Of the trial; what an optimizer does every tenth step is seen once."""
HALF = STEPS // 2
"""Where weights are evaluated, and where a checkpoint is taken."""


def parameter_shapes(stacked: Mapping[str, Tensor]) -> Shapes:
    """Names and shapes of one replica's parameters."""
    return tuple((name, tuple(tensor.shape[1:])) for name, tensor in stacked.items())


@dataclass(frozen=True)
class Trial:
    """An optimizer, and what it is stepped on: parameters (R, ...) and gradients for some steps."""

    optimizer: Optimizer
    recipe: Recipe
    start: State
    gradients: list[State]
    traits: Traits | None

    @classmethod
    def drawn(
        cls, optimizer: Optimizer, recipe: Recipe, shapes: Shapes, traits: Traits | None
    ) -> Trial:
        """From a generator of its own."""
        generator = torch.Generator().manual_seed(0)

        def draw() -> State:
            return {n: torch.randn(REPLICAS, *shape, generator=generator) for n, shape in shapes}

        start = draw() if traits is None else traits.start(draw())
        return cls(optimizer, recipe, start, [draw() for _ in range(STEPS)], traits)

    def of(self, replicas: list[int]) -> Trial:
        """Some of the replicas, in that order."""
        start, *gradients = (
            {name: tensor[replicas] for name, tensor in state.items()}
            for state in (self.start, *self.gradients)
        )
        return Trial(self.optimizer, self.recipe, start, gradients, self.traits)

    def after(self, needs: OptimizerNeeds, interrupted: bool = False) -> State:
        """The weights to be judged after all steps, evaluated half-way and at the end.

        interrupted: half-way stored as a checkpoint, and continued by a new optimizer.
        Raises ModelError where a step fails.
        """
        stacked = {name: tensor.clone() for name, tensor in self.start.items()}
        stepper = self._stepper(stacked, needs)
        for index, gradients in enumerate(self.gradients):
            if index == HALF:
                with stepper.evaluated():
                    pass
                if interrupted:
                    saved = stored(stepper)
                    stepper = self._stepper(stacked, needs)
                    stepper.load_state_dict(saved)
            self._step(stepper, stacked, gradients)
        stepper.eval_mode()
        return stacked

    def _stepper(self, stacked: State, needs: OptimizerNeeds) -> ReplicaOptimizer:
        owners = self.traits.copies(stacked) if self.traits else None
        return ReplicaOptimizer(self.optimizer, self.recipe, stacked, needs, owners)

    def _step(self, stepper: ReplicaOptimizer, stacked: State, gradients: State) -> None:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "a replica ends")
            advance(stepper, stacked, [gradients])
        if stepper.failure is not None:
            raise ModelError(
                f'optimizer "{self.optimizer.label()}" fails in step: {explain(stepper.failure)}'
            ) from stepper.failure


def advance(stepper: ReplicaOptimizer, stacked: State, gradients: Sequence[State]) -> None:
    """One step for each of the gradients (R, ...), handed over as the optimizer needs them.

    Where it evaluates a loss itself, that is a quadratic with the given gradient where the step
    begins, and curvature 1.
    """
    for found in gradients:
        if stepper.needs.own_gradients:
            graph = stepper.needs.graph
            closures = [_bowl(own, found, r, graph) for r, own in enumerate(stepper.own)]
            if stepper.needs.closure:
                stepper.closures = closures
                for own in stepper.own:
                    # What an earlier step has left must not pass for this one's.
                    for parameter in own.values():
                        parameter.grad = None
            else:
                for closure in closures:
                    closure()
        else:
            for name, tensor in stacked.items():
                tensor.grad = found[name].clone()
        stepper.step()


def _bowl(
    own: Mapping[str, nn.Parameter], slope: State, r: int, graph: bool
) -> Callable[[], Tensor]:
    """The closure of replica r; graph: whether its gradients have one."""
    begin = {name: parameter.detach().clone() for name, parameter in own.items()}

    @torch.enable_grad()
    def closure() -> Tensor:
        loss = torch.zeros(())
        for name, p in own.items():
            moved = p - begin[name]
            gradient = slope[name][r] + moved
            p.grad = gradient if graph else gradient.detach()
            loss = loss + (slope[name][r] * p).sum() + 0.5 * moved.square().sum()
        return loss

    return closure


def stored(stepper: torch.optim.Optimizer) -> Any:
    """The optimizer's state as a checkpoint gives it back."""
    file = io.BytesIO()
    torch.save(stepper.state_dict(), file)
    file.seek(0)
    return torch.load(file, weights_only=True)
