"""Drawing worlds and batches for all replicas, and for many steps, at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from synthbench.contracts.batch import Batch, World
from synthbench.contracts.task import Task
from synthbench.engine.axis.over_replicas import over_replicas
from synthbench.streams import Purpose, Stream

Draw = Callable[[World, Tensor, Tensor], Batch]
"""(world, key (2,), step ()) of one replica -> a batch."""


def draw_worlds(task: Task, keys: Tensor) -> World:
    """One hidden truth per replica; keys: (R, 2) of the `world` seeds."""
    return over_replicas(lambda key: task.world(Stream(key, Purpose.WORLD)))(keys)


def draw_steps(draw: Draw, worlds: World, keys: Tensor, steps: range) -> Batch:
    """What `draw` gives for several steps and every replica; leaves (K, R, ...).

    keys: (R, 2). The step and the replica axes are one vmapped axis, which is faster than
    two nested ones and gives the same bits: each sample depends on its own key and step.
    """
    counters = torch.arange(steps.start, steps.stop, device=keys.device)
    return draw_counters(draw, worlds, keys, counters)


def draw_counters(draw: Draw, worlds: World, keys: Tensor, counters: Tensor) -> Batch:
    """The same for steps (K,) in a tensor."""
    count, replicas = len(counters), keys.shape[0]
    flat = over_replicas(draw)(
        tree_map(lambda leaf: leaf.repeat(count, *[1] * (leaf.dim() - 1)), worlds),
        keys.repeat(count, 1),
        counters.repeat_interleave(replicas),
    )
    return as_batch(tree_map(lambda leaf: leaf.reshape(count, replicas, *leaf.shape[1:]), flat))


def draw_batches(
    task: Task, worlds: World, keys: Tensor, purpose: Purpose, steps: range, size: int
) -> Batch:
    """Fresh samples of several steps for every replica; leaves (K, R, size, ...).

    Those of `Task.sample`; training batches, which may follow a curriculum, are `FreshData`.
    """

    def draw(world: World, key: Tensor, step: Tensor) -> Batch:
        return task.sample(world, Stream(key, purpose, step), size)

    return draw_steps(draw, worlds, keys, steps)


def draw_batch(
    task: Task, worlds: World, keys: Tensor, purpose: Purpose, step: int, size: int
) -> Batch:
    """The batch of one step for every replica; leaves have shape (R, size, ...)."""
    return batch_at(draw_batches(task, worlds, keys, purpose, range(step, step + 1), size), 0)


def batch_at(batches: Batch, index: int) -> Batch:
    """One of several batches along the first axis of their leaves: of steps, or of replicas."""
    return as_batch(tree_map(lambda leaf: leaf[index], batches))


def rows_of(batch: Batch, start: int, stop: int) -> Batch:
    """Examples start, ..., stop - 1 of every replica: leaves (R, B, ...)."""
    return as_batch(tree_map(lambda leaf: leaf[:, start:stop], batch))


def as_batch(batch: Any) -> Batch:
    """Rebuild the named tuple that a tree operation may have made a plain one."""
    return Batch(*batch)


def cast_batch(batch: Batch, dtype: torch.dtype) -> Batch:
    """The batch with its floating-point leaves in another precision."""
    return as_batch(tree_map(lambda t: t.to(dtype) if t.is_floating_point() else t, batch))


def batch_bytes(batch: Batch | Sequence[Batch]) -> int:
    """Memory of a batch's tensors."""
    return sum(leaf.numel() * leaf.element_size() for leaf in tree_leaves(batch))
