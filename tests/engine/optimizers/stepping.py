"""Steps of an optimizer over a few replicas with random gradients."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

import synthbench as sb
from synthbench.engine.optimizers.needs import LOOPED, VMAPPED, OptimizerNeeds
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.engine.optimizers.trial import optimizer_needs
from synthbench.registry.registry import installed

SHAPES = {"first.weight": (7, 5), "first.bias": (7,), "second.weight": (1, 7)}
REPLICAS, STEPS = 6, 7
RECIPE = sb.Recipe(lr=0.05, weight_decay=0.1)
MUON = installed().optimizer("muon")

Named = dict[str, Tensor]


def draws(seed: int = 0) -> tuple[Named, list[Named]]:
    generator = torch.Generator().manual_seed(seed)

    def draw() -> Named:
        return {n: torch.randn(REPLICAS, *s, generator=generator) for n, s in SHAPES.items()}

    return draw(), [draw() for _ in range(STEPS)]


def stepped(
    chosen: sb.Optimizer, start: Named, gradients: list[Named], looped: bool, rates: Any = None
) -> Named:
    stacked = {name: tensor.clone() for name, tensor in start.items()}
    stepper = ReplicaOptimizer(chosen, RECIPE, stacked, LOOPED if looped else VMAPPED)
    for index, step in enumerate(gradients):
        for name, tensor in stacked.items():
            tensor.grad = step[name].clone()
        if rates is not None:
            stepper.param_groups[0]["lr"] = RECIPE.lr * rates(index)
        stepper.step()
    return stacked


def needs_of(chosen: sb.Optimizer, kind: str = "cpu", owners: Any = None) -> OptimizerNeeds:
    return optimizer_needs(chosen, RECIPE, tuple(SHAPES.items()), kind, owners)


def part(tensors: Named, rows: slice) -> Named:
    return {name: tensor[rows] for name, tensor in tensors.items()}
