"""Everything a task gives its replicas, stacked as the engine draws it, and one alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.utils._pytree import tree_map

from synthbench.contracts.batch import Batch
from synthbench.engine.data.held_out import HeldOut
from synthbench.engine.data.sampling import as_batch, draw_worlds
from synthbench.engine.data.training_data import FreshData, train_sets
from synthbench.streams import Purpose, Stream, keys_of
from synthbench.testing.tasks.trial import SIZE, TaskTrial

STEPS = range(1, 3)
"""Training steps whose batches are looked at."""
Drawn = dict[str, Any]
"""What it is -> tensors; stacked, (R, ...)."""


def stacked(trial: TaskTrial, seeds: Sequence[int]) -> Drawn:
    """Worlds, training examples and test sets of some replicas, drawn under vmap."""
    keys = keys_of(list(seeds))
    worlds = draw_worlds(trial.subject, keys)
    found: Drawn = {"the world": worlds}
    if trial.has_train_set:
        found["the training set"] = tuple(train_sets(trial.subject, worlds))
    else:
        batches = FreshData(trial.subject, worlds, keys).batches(STEPS, SIZE)
        found["the training batches"] = tree_map(lambda t: t.transpose(0, 1), tuple(batches))
    for held_out in trial.sets:
        whole = held_out.is_whole
        batch = held_out.everything(worlds) if whole else held_out.drawn(worlds, keys, 0, SIZE)
        found[words(held_out)] = tuple(batch)
    return found


def alone(trial: TaskTrial, seed: int) -> Drawn:
    """The same of one replica, by a plain call of each method."""
    task = trial.subject
    world = task.world(Stream.from_seed(seed, Purpose.WORLD))
    found: Drawn = {"the world": world}
    if trial.has_train_set:
        found["the training set"] = _leaves(task.train_set(world))
    else:
        each = [tuple(trial.draw_training(world, seed, SIZE, step)) for step in STEPS]
        found["the training batches"] = tree_map(lambda *leaves: torch.stack(leaves), *each)
    for place, held_out in enumerate(trial.sets):
        whole = held_out.test_set.whole
        batch = whole(world) if whole else trial.draw_held_out(world, place, seed)
        found[words(held_out)] = _leaves(batch)
    return found


def words(held_out: HeldOut) -> str:
    """`the test set "length-80"`."""
    return f'the test set "{held_out.name}"' if held_out.name else "the first test set"


def _leaves(batch: Batch | None) -> tuple[Any, ...]:
    assert batch is not None
    return tuple(as_batch(batch))
