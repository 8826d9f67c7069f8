"""The core's optimizers against one optimizer of torch for every replica, in double precision."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

import synthbench as sb
from synthbench.engine.optimizers.build import build_optimizer
from synthbench.engine.optimizers.elementwise import ElementwiseOptimizer
from synthbench.engine.optimizers.schedule import learning_rate_factor

STEPS = 60
SHAPES = {"weight": (3, 4), "bias": (3,), "scale": ()}

# Of each family several, which differ in numbers alone and so share a stack.
FAMILIES = {
    "sgd": [
        {"lr": 0.1, "schedule": "cosine", "warmup": 20, "lr_final": 0.1},
        {"lr": 0.03, "momentum": 0.9, "weight_decay": 0.01},
        {"lr": 0.2, "momentum": 0.5, "schedule": "linear"},
    ],
    "nesterov": [
        {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        {"lr": 0.02, "momentum": 0.3, "nesterov": True, "schedule": "inverse-sqrt", "warmup": 9},
    ],
    "clipped": [
        {"lr": 0.1, "clip": 0.3},
        {"lr": 0.1, "clip": 3.0, "momentum": 0.9, "schedule": "warmup-stable-decay"},
        {"lr": 0.1, "clip": 1e9, "weight_decay": 0.2},
    ],
    "adam": [
        {"optimizer": "adam", "lr": 0.01, "weight_decay": 0.1},
        {"optimizer": "adam", "lr": 0.1, "beta1": 0.5, "beta2": 0.9, "eps": 1e-3},
        {"optimizer": "adam", "lr": 0.03, "beta1": 0.0, "schedule": "linear", "warmup": 30},
    ],
    "adamw": [
        {"optimizer": "adamw", "lr": 0.01, "weight_decay": 0.5, "clip": 1.0, "schedule": "cosine"},
        {"optimizer": "adamw", "lr": 0.1, "clip": 0.2, "schedule": "warmup-stable-decay"},
    ],
    "matrices": [
        {"optimizer": "adamw", "lr": 0.01, "weight_decay": 0.5, "decayed": "matrices"},
        {"optimizer": "adamw", "lr": 0.02, "weight_decay": 0.1, "decayed": "matrices"},
    ],
}


def torch_optimizer(recipe: sb.Recipe, parameters: Sequence[Tensor]) -> torch.optim.Optimizer:
    decay = recipe.weight_decay
    matrices = [p for p in parameters if p.dim() >= 2]
    others = [p for p in parameters if p.dim() < 2]
    without = decay if recipe.decayed == "all" else 0.0
    groups = [
        {"params": matrices, "weight_decay": decay},
        {"params": others, "weight_decay": without},
    ]
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(
            groups, recipe.lr, momentum=recipe.momentum, nesterov=recipe.nesterov
        )
    kind: Callable[..., torch.optim.Optimizer] = (
        torch.optim.Adam if recipe.optimizer == "adam" else torch.optim.AdamW
    )
    return kind(groups, recipe.lr, betas=(recipe.beta1, recipe.beta2), eps=recipe.eps)


def gradient_of(parameter: Tensor, step: int) -> Tensor:
    """Of a landscape that moves: it depends on where one is, so that errors grow."""
    return (parameter * 1.7 + step * 0.3).sin() + 0.5 * parameter


def plain_loop(recipe: sb.Recipe, start: dict[str, Tensor]) -> dict[str, Tensor]:
    parameters = {name: tensor.clone().requires_grad_() for name, tensor in start.items()}
    optimizer = torch_optimizer(recipe, list(parameters.values()))
    factor = learning_rate_factor(recipe, STEPS)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = recipe.lr * factor(step)
        for parameter in parameters.values():
            parameter.grad = gradient_of(parameter.detach(), step)
        if recipe.clip is not None:
            torch.nn.utils.clip_grad_norm_(parameters.values(), recipe.clip)
        optimizer.step()
    return {name: parameter.detach() for name, parameter in parameters.items()}


@pytest.mark.parametrize("family", FAMILIES)
def test_replicas_of_several_recipes_go_as_each_would_with_an_optimizer_of_torch(
    family: str,
) -> None:
    recipes = [sb.Recipe(**numbers) for numbers in FAMILIES[family]]
    generator = torch.Generator().manual_seed(1)
    stacked = {
        name: torch.randn(len(recipes), *shape, generator=generator, dtype=torch.float64)
        for name, shape in SHAPES.items()
    }
    start = [
        {name: tensor[r].clone() for name, tensor in stacked.items()} for r in range(len(recipes))
    ]
    parameters = {name: torch.nn.Parameter(tensor) for name, tensor in stacked.items()}
    optimizer = build_optimizer(recipes, parameters, steps=STEPS)
    assert isinstance(optimizer, ElementwiseOptimizer)
    for step in range(STEPS):
        for parameter in parameters.values():
            parameter.grad = gradient_of(parameter.detach(), step)
        optimizer.step()
    for r, recipe in enumerate(recipes):
        for name, expected in plain_loop(recipe, start[r]).items():
            torch.testing.assert_close(
                parameters[name][r].detach(), expected, rtol=1e-10, atol=1e-10
            )


def test_a_number_that_is_zero_beside_one_that_is_not_changes_no_bit() -> None:
    """Momentum and weight decay are there for all as soon as one replica has them."""
    plain, other = sb.Recipe(lr=0.1), sb.Recipe(lr=0.1, momentum=0.9, weight_decay=0.1)
    start = torch.randn(4, 5, generator=torch.Generator().manual_seed(2))
    ends = []
    for company in (plain, other):
        parameter = torch.nn.Parameter(torch.stack([start, start]))
        optimizer = build_optimizer([plain, company], {"weight": parameter}, steps=STEPS)
        for step in range(STEPS):
            parameter.grad = gradient_of(parameter.detach(), step)
            optimizer.step()
        ends.append(parameter.detach()[0])
    assert torch.equal(*ends)
