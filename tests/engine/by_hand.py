"""The loop that anyone would write for one replica."""

from __future__ import annotations

import torch
from torch import nn

import synthbench as sb
from synthbench.engine.axis.building import build_modules
from synthbench.engine.axis.output import read_output
from synthbench.streams import Purpose, Stream


def by_hand(model: sb.Model, task: sb.Task, seed: int, steps: int) -> nn.Module:
    """The module after a loop as anyone would write it: batches of 32, the hinge loss."""
    (module,) = build_modules(model, task.interface, [seed])
    trained = [p for p in module.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=model.recipe.lr)
    world = task.world(Stream.from_seed(seed, Purpose.WORLD))
    module.train()
    for step in range(steps):
        batch = task.sample(world, Stream.from_seed(seed, Purpose.TRAIN, step), 32)
        margin = read_output(module(batch.x.float()), task.interface.output, 32)
        loss = torch.relu(1 - batch.y.float() * margin).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return module
