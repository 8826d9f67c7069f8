"""A probe's view of one replica, made without training."""

from __future__ import annotations

import torch
from torch import Tensor

import synthbench as sb
from synthbench.engine.axis.replicas import stacked_replicas
from synthbench.registry.registry import installed
from synthbench.streams import Purpose, Stream


def view_of(
    task_reference: str,
    model_reference: str,
    weights: dict[str, Tensor] | None = None,
    size: int = 256,
    seed: int = 3,
) -> sb.View:
    """What a probe sees of a freshly built model, some of whose parameters are replaced."""
    task, model = installed().task(task_reference), installed().model(model_reference)
    replicas = stacked_replicas(model, task.interface, [seed])
    initial = {name: tensor[0] for name, tensor in replicas.parameters.items()}
    buffers = {name: tensor[0] for name, tensor in replicas.buffers.items()}
    unknown = set(weights or {}) - set(initial)
    assert not unknown, f"{unknown} are not among {set(initial)}"
    world = task.world(Stream.from_seed(seed, Purpose.WORLD))
    rng = Stream.from_seed(seed, Purpose.PROBE)
    losses = task.losses()
    return sb.View(
        task=task,
        parameters={**initial, **(weights or {})},
        initial=initial,
        forward=lambda p, x: replicas.forward(dict(p), buffers, x),
        record=lambda p, x: replicas.record(dict(p), buffers, x),
        loss=losses[model.recipe.loss or next(iter(losses))],
        world=world,
        batch=task.sample(world, Stream.from_seed(seed, Purpose.EVAL), size),
        sample=lambda size: task.sample(world, rng, size),
        rng=rng,
    )


def measure(probe_reference: str, view: sb.View) -> dict[str, float]:
    """The probe's values."""
    values = installed().probe(probe_reference).measure(view)
    assert all(value.shape == torch.Size([]) for value in values.values())
    return {name: float(value) for name, value in values.items()}
