"""What must not beat a task's optimum: a memory of training examples, and a small network."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench.contracts.batch import Batch
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.engine.axis.replicas import Replicas
from synthbench.engine.data.finite_data import FiniteData, drawn_samples
from synthbench.engine.data.sampling import batch_at, cast_batch, draw_worlds, rows_of
from synthbench.engine.data.training_data import FreshData, TrainingData, train_sets
from synthbench.plan.task_facts import has_curriculum
from synthbench.streams import keys_of
from synthbench.testing.tasks.reference_laws import causal_length
from synthbench.testing.tasks.trial import TaskTrial
from synthbench.testing.workbench.comparison import close
from synthbench.testing.workbench.example_network import ExampleNetwork
from synthbench.testing.workbench.training import Lesson, train, untrained

WORLDS = range(16)
LEARNERS = 8
"""Worlds in which a network is trained."""
STEPS, LARGEST_BATCH, NUMBERS_A_STEP = 160, 64, 2048
"""Of the training: steps, examples of a batch, and input numbers to which they are limited."""
KNOWN = 2048
"""Training examples of each learner."""


def remembered(trial: TaskTrial, x: Tensor) -> Tensor:
    """The mean label of the most similar training examples.

    x: (LEARNERS, size, ...) inputs of a test set. Returns (LEARNERS, size, ...).
    """

    def of_one(x: Tensor, known: Tensor, y: Tensor) -> Tensor:
        distance = torch.cdist(x.flatten(1).float(), known.flatten(1).float(), p=1)
        nearest = (distance == distance.min(dim=1, keepdim=True).values).float()
        mean = nearest @ y.reshape(y.shape[0], -1).float() / nearest.sum(dim=1, keepdim=True)
        return mean.reshape(x.shape[0], *y.shape[1:])

    samples = _examples(_data(trial))
    return over_replicas(of_one, looped=True)(x, samples.x, samples.y)


def learned(trial: TaskTrial, x: Tensor) -> Tensor | None:
    """What a small network says after a short training; None where it would look ahead.

    x: (LEARNERS, size, ...) inputs of a test set. Returns (LEARNERS, size, ...).
    """
    numbers = max(1, torch.Size(trial.interface.input.shape).numel())
    size = min(max(NUMBERS_A_STEP // numbers, 8), LARGEST_BATCH)
    recipe = ExampleNetwork().recipe.model_copy(update={"batch_size": size, "lr": 0.02})
    model, data = ExampleNetwork(recipe=recipe), _data(trial)
    loss = next(iter(trial.subject.losses().values()))
    lesson = Lesson(loss, lambda steps: data.batches(steps, size))
    fresh = untrained(trial.subject, model, WORLDS[:LEARNERS])
    if causal_length(trial.interface) is not None and _looks_ahead(fresh, x):
        return None
    return _said(train(fresh, model, lesson, STEPS), x)


@torch.no_grad()
def _said(network: Replicas, x: Tensor) -> Tensor:
    return over_replicas(lambda weights, own, shown: network.forward(weights, own, shown))(
        network.parameters, network.buffers, x
    )


def _looks_ahead(network: Replicas, x: Tensor) -> bool:
    """Whether what it says of the first half changes with the second half of the positions."""
    half = x.shape[2] // 2
    spliced = torch.cat([x[:, :, :half], x.roll(1, dims=1)[:, :, half:]], dim=2)
    return not close(_said(network, spliced)[:, :, :half], _said(network, x)[:, :, :half])


def _data(trial: TaskTrial) -> TrainingData:
    """Where the examples of LEARNERS worlds come from, as in the engine."""

    def drawn() -> TrainingData:
        task, keys = trial.subject, keys_of(list(WORLDS[:LEARNERS]))
        worlds = draw_worlds(task, keys)
        if trial.has_train_set:
            return FiniteData(train_sets(task, worlds), keys)
        if has_curriculum(task):
            return FreshData(task, worlds, keys)
        return FiniteData(drawn_samples(task, worlds, keys, KNOWN), keys)

    return trial.keep("training data", drawn)


def _examples(data: TrainingData) -> Batch:
    """Up to KNOWN examples of every learner; those of a curriculum at its end."""
    found = data.samples_at(0)
    if found is None:
        found = batch_at(data.batches(range(STEPS, STEPS + 1), KNOWN), 0)
    return cast_batch(rows_of(found, 0, KNOWN), torch.float32)
