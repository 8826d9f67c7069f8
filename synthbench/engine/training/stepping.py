"""Running the optimizer steps of a chunk, whatever kind of optimizer it is."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch
from synthbench.engine.axis.state import State
from synthbench.engine.data.sampling import as_batch
from synthbench.engine.optimizers.build import StackedOptimizer
from synthbench.engine.optimizers.clipping import clipped
from synthbench.engine.optimizers.elementwise import ElementwiseOptimizer
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.engine.optimizers.schedule import learning_rate_factor
from synthbench.engine.training.captured_steps import CapturedSteps
from synthbench.engine.training.cell_functions import CellFunctions
from synthbench.engine.training.chunks import Chunk
from synthbench.engine.training.cuda_graphs import Capture
from synthbench.engine.training.drawn_steps import DrawnSteps
from synthbench.engine.training.inheritance import prune, pruned_gradients
from synthbench.engine.training.own_gradients import OwnGradients
from synthbench.engine.training.step import Trained
from synthbench.plan.cell import Cell

Tensors = tuple[State, State, State]
"""Parameters, buffers and masks of what is pruned: leaves (R, ...)."""


class Stepping:
    """The steps of one stack, as long as it keeps its width."""

    def __init__(  # noqa: PLR0913 - what a step is made of
        self,
        cell: Cell,
        functions: CellFunctions,
        optimizer: StackedOptimizer,
        drawn: DrawnSteps,
        tensors: Tensors,
        teachers: Sequence[State] = (),
        own_gradients: OwnGradients | None = None,
        capture: Capture | None = None,
    ) -> None:
        """teachers: weights of the cells that teach. own_gradients: of plain modules.

        capture: how runs of steps of the core's optimizers are captured, if they are.
        """
        self._cell, self._functions, self._optimizer = cell, functions, optimizer
        self._drawn, self._teachers, self._own_gradients = drawn, teachers, own_gradients
        self._parameters, self._buffers, self._masks = tensors
        self._factor = learning_rate_factor(cell.model.recipe, cell.steps)
        self._captured: CapturedSteps | None = None
        if capture is not None and functions.step is not None:
            self._captured = CapturedSteps(functions.step, capture, drawn.length)

    def run(self, chunk: Chunk, losses: Tensor) -> Tensor:
        """Run the steps; returns the sum of losses (R,) with theirs added.

        One by one, so that rounding does not depend on how steps are cut into chunks. In float64
        the sum of finite float32 losses is finite.
        """
        optimizer = self._optimizer
        if isinstance(optimizer, ReplicaOptimizer):
            for step in range(chunk.start, chunk.stop):
                losses = losses + self._step_of_plugin(optimizer, step)
            return losses
        return self._run_elementwise(optimizer, chunk, losses)

    def _run_elementwise(
        self, optimizer: ElementwiseOptimizer, chunk: Chunk, losses: Tensor
    ) -> Tensor:
        step_of = self._functions.step
        assert step_of is not None
        trained = Trained(self._parameters, self._buffers, optimizer.moments, self._masks)
        steps = range(chunk.start, chunk.stop)
        dtype = next(iter(self._parameters.values())).dtype
        rates = optimizer.rates.at(steps, dtype, losses.device)
        if self._captured is not None:
            losses = self._captured.run(steps, trained, rates, losses, self._batches)
        else:
            for index, step in enumerate(steps):
                batch, noise = self._batch(step)
                losses = losses + step_of(trained, batch, noise, rates[index])
        # For whoever watches the learning rate.
        optimizer.param_groups[0]["lr"] = optimizer.rates.learning_rate(chunk.stop - 1)
        return losses

    def _step_of_plugin(self, optimizer: ReplicaOptimizer, step: int) -> Tensor:
        """One optimizer step of all replicas; returns their losses (R,) before it."""
        batch, noise = self._batch(step)
        optimizer.param_groups[0]["lr"] = self._cell.model.recipe.lr * self._factor(step)
        if optimizer.needs.own_gradients:
            assert self._own_gradients is not None
            losses = self._own_gradients.step(optimizer, batch, noise)
        else:
            gradients, losses = self._functions.gradients(
                self._parameters, self._buffers, batch, noise
            )
            self._set_gradients(gradients)
            optimizer.step()
        prune(self._masks, self._parameters)
        return losses

    def _set_gradients(self, gradients: State) -> None:
        if self._masks:
            gradients = pruned_gradients(self._masks, gradients)
        clip = self._cell.model.recipe.clip
        if clip is not None:
            gradients = clipped(gradients, clip)
        for name, parameter in self._parameters.items():
            parameter.grad = gradients[name]

    def _batch(self, step: int) -> tuple[Batch, Tensor]:
        """The batch of a step, with the outputs of whoever teaches at it, if anybody does."""
        batch, noise = self._drawn.at(step)
        teach, teacher = self._functions.teach, self._cell.teacher
        if teach is not None and teacher is not None:
            place = teacher.moment_of(step, self._cell.steps)
            batch = teach(self._teachers[place], batch)
        return batch, noise

    def _batches(self, steps: range) -> tuple[Batch, Tensor]:
        """The same of some steps of one window: leaves (K, R, ...)."""
        if self._functions.teach is None:
            return self._drawn.between(steps)
        each = [self._batch(step) for step in steps]
        batches = tree_map(lambda *leaves: torch.stack(leaves), *(batch for batch, _ in each))
        return as_batch(batches), torch.stack([noise for _, noise in each])
