"""Schedules against closed forms; stacked updates and clipping against torch, one by one."""

import math

import pytest
import torch
from torch.nn.utils import clip_grad_norm_

import synthbench as sb
from synthbench.contracts.recipe import Recipe
from synthbench.engine.optimizers.build import build_optimizer
from synthbench.engine.optimizers.clipping import clipped
from synthbench.engine.optimizers.schedule import learning_rate_factor
from tests.engine.optimizers.stepping import SHAPES
from tests.engine.optimizing import Normalized, Reading


@pytest.mark.parametrize(
    ("fields", "step", "expected"),
    [
        ({}, 500, 1.0),
        ({"warmup": 10}, 0, 0.1),
        ({"warmup": 10}, 9, 1.0),
        ({"schedule": "linear"}, 0, 1.0),
        ({"schedule": "linear"}, 250, 0.75),
        ({"schedule": "linear", "lr_final": 0.5}, 500, 0.75),
        ({"schedule": "linear", "warmup": 200}, 600, 0.5),
        ({"schedule": "cosine"}, 250, 0.5 * (1 + math.cos(math.pi / 4))),
        ({"schedule": "cosine", "lr_final": 0.1}, 1000, 0.1),
        ({"schedule": "inverse-sqrt", "warmup": 100}, 400, 0.5),
        ({"schedule": "inverse-sqrt"}, 16, 0.25),
        ({"schedule": "warmup-stable-decay"}, 800, 1.0),
        ({"schedule": "warmup-stable-decay"}, 900, 0.5),
        ({"schedule": "warmup-stable-decay", "decay": 1.0}, 250, 0.75),
    ],
)
def test_learning_rate_factor(fields: dict, step: int, expected: float) -> None:
    assert learning_rate_factor(Recipe(**fields), 1000)(step) == pytest.approx(expected)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw"])
def test_a_stacked_optimizer_steps_each_replica_as_its_own(optimizer: str) -> None:
    momentum = {"momentum": 0.9, "nesterov": True} if optimizer == "sgd" else {}
    recipe = Recipe(optimizer=optimizer, lr=0.05, weight_decay=0.1, **momentum)
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(3, 4, 5, generator=generator)
    gradients = torch.randn(7, 3, 4, 5, generator=generator)

    def train(parameter: torch.Tensor, updates: torch.Tensor) -> torch.Tensor:
        parameter = parameter.clone()
        stepper = build_optimizer(recipe, {"weight": parameter})
        for gradient in updates:
            parameter.grad = gradient.clone()
            stepper.step()
        return parameter

    together = train(start, gradients)
    for r in range(3):
        assert torch.equal(together[r], train(start[r], gradients[:, r]))


def test_clipping_is_per_replica_and_agrees_with_torch() -> None:
    shapes, generator = [(3, 4, 5), (3, 4), (3,)], torch.Generator().manual_seed(1)
    scales = torch.tensor([0.01, 1.0, 100.0])
    gradients = {
        str(s): torch.randn(s, generator=generator) * scales.reshape(-1, *[1] * (len(s) - 1))
        for s in shapes
    }
    found = clipped(gradients, 1.0)
    apart = clipped(gradients, torch.tensor([1.0, 0.5, 1.0]))
    for r, largest in enumerate((1.0, 0.5, 1.0)):
        for together, norm in ((found, 1.0), (apart, largest)):
            alone = [torch.zeros(s[1:]) for s in shapes]
            for parameter, gradient in zip(alone, gradients.values(), strict=True):
                parameter.grad = gradient[r].clone()
            clip_grad_norm_(alone, norm)
            for own, single in zip(together.values(), alone, strict=True):
                torch.testing.assert_close(own[r], single.grad)


def test_clipping_scales_a_shared_gradient_once() -> None:
    shared = torch.full((2, 3), 10.0)
    found = clipped({"first": shared, "second": shared}, 1.0)
    norm = torch.cat([found["first"], found["second"]], 1).norm(dim=1)
    torch.testing.assert_close(norm, torch.ones(2), rtol=1e-4, atol=0)
    expanded = clipped({"one": torch.full((2, 1), 10.0).expand(2, 3)}, 1.0)
    assert expanded["one"][0].norm().item() == pytest.approx(1.0, rel=1e-4)


def test_decay_of_matrices_alone_leaves_biases_where_they_are() -> None:
    """With no gradient, AdamW only decays: stacked matrices have three axes."""
    matrix, bias = torch.ones(3, 4, 5), torch.ones(3, 5)
    for decayed, expected in (("all", 0.9), ("matrices", 1.0)):
        stacked = [torch.nn.Parameter(t.clone()) for t in (matrix, bias)]
        recipe = Recipe(optimizer="adamw", lr=0.1, weight_decay=1.0, decayed=decayed)
        optimizer = build_optimizer(recipe, dict(zip("ab", stacked, strict=True)))
        for parameter in stacked:
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step()
        torch.testing.assert_close(stacked[0].detach(), 0.9 * matrix)
        torch.testing.assert_close(stacked[1].detach(), expected * bias)


def test_build_optimizer_loops_what_must_be_looped() -> None:
    recipe = sb.Recipe(optimizer=Reading())
    stacked = {name: torch.zeros(3, *shape) for name, shape in SHAPES.items()}
    assert "Looped" in repr(build_optimizer(recipe, stacked)._replicas)
    vmapped = build_optimizer(sb.Recipe(optimizer=Normalized()), stacked)
    assert "Vmapped" in repr(vmapped._replicas)
