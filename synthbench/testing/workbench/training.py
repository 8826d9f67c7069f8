"""Training a few replicas for a few steps, without Lightning."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from synthbench.contracts.batch import Batch, Loss
from synthbench.contracts.model import Model
from synthbench.contracts.task import Task
from synthbench.engine.axis.gradients import stacked_gradients
from synthbench.engine.axis.objective import Objective, recipe_loss
from synthbench.engine.axis.replicas import Replicas, stacked_replicas
from synthbench.engine.data.finite_data import FiniteData
from synthbench.engine.data.sampling import batch_at, cast_batch, draw_worlds
from synthbench.engine.data.training_data import FreshData, TrainingData, train_sets
from synthbench.engine.optimizers.build import build_optimizer
from synthbench.plan.task_facts import own_train_rows
from synthbench.streams import keys_of

STEPS_AT_ONCE = 32
FULL = 256
"""Examples of a step where the recipe takes the whole of a finite training set."""
Source = Callable[[range], Batch]
"""Steps -> their batches, leaves (K, R, B, ...)."""


@dataclass(frozen=True)
class Lesson:
    """What is minimized, and the batches of every step."""

    loss: Loss
    batches: Source


def samples_of(task: Task, model: Model, seeds: Sequence[int]) -> Lesson:
    """The loss of the model's recipe, on the task's training set or new samples at every step."""
    recipe = model.recipe
    keys = keys_of(list(seeds))
    worlds = draw_worlds(task, keys)
    data: TrainingData = FreshData(task, worlds, keys)
    if own_train_rows(task, seeds[0]) is not None:
        data = FiniteData(train_sets(task, worlds), keys)
    size = recipe.batch_size if recipe.batch_size != "full" else FULL
    return Lesson(
        recipe_loss(task, model),
        lambda steps: data.batches(steps, size),
    )


def untrained(task: Task, model: Model, seeds: Sequence[int]) -> Replicas:
    """One replica for each seed of the `init` stream."""
    return stacked_replicas(model, task.interface, list(seeds))


@torch.no_grad()
def train(replicas: Replicas, model: Model, lesson: Lesson, steps: int) -> Replicas:
    """The replicas after some steps of the model's optimizer, at a constant rate.

    Buffers that training writes into are written into.
    """
    parameters = {n: torch.nn.Parameter(p.clone()) for n, p in replicas.parameters.items()}
    buffers = {name: tensor.clone() for name, tensor in replicas.buffers.items()}
    optimizer = build_optimizer(model.recipe, parameters)
    gradients = stacked_gradients(Objective(replicas, lesson.loss))
    noise = torch.zeros(len(next(iter(parameters.values()))), dtype=torch.int64)
    for start in range(0, steps, STEPS_AT_ONCE):
        chunk = range(start, min(start + STEPS_AT_ONCE, steps))
        batches = lesson.batches(chunk)
        for index in range(len(chunk)):
            batch = cast_batch(batch_at(batches, index), torch.float32)
            found, _ = gradients(dict(parameters), buffers, batch, noise + start + index)
            for name, parameter in parameters.items():
                parameter.grad = found[name]
            optimizer.step()
    after = {name: parameter.detach() for name, parameter in parameters.items()}
    return replicas.with_state(after, buffers)
