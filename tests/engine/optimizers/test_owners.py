"""Optimizers see parameters as the author of the module made them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from synthbench.engine.optimizers.build import build_optimizer
from tests.engine.optimizers.asking import ScaledParameter, ScalingStep
from tests.engine.optimizers.stepping import RECIPE, REPLICAS, SHAPES, Named, draws, needs_of
from tests.engine.optimizing import optimizer, torch_optimizer


def owners_of(start: Named) -> list[dict[str, nn.Parameter]]:
    """The vectors are scaled."""
    owners = []
    for r in range(REPLICAS):
        own: dict[str, nn.Parameter] = {n: nn.Parameter(t[r].clone()) for n, t in start.items()}
        own["first.bias"] = ScaledParameter(start["first.bias"][r].clone())
        own["first.bias"].scale = 0.25
        owners.append(own)
    return owners


def by_attribute(parameters: Any, recipe: Any) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        [{"params": [p], "lr": recipe.lr * getattr(p, "scale", 1.0)} for p in parameters.values()]
    )


@pytest.mark.parametrize(
    "chosen",
    [torch_optimizer(ScalingStep), optimizer(by_attribute)],
    ids=["looked at in the step", "looked at in build"],
)
def test_class_and_attributes_reach_the_optimizer(chosen: Any) -> None:
    start, gradients = draws()
    owners = owners_of(start)
    stacked = {name: tensor.clone() for name, tensor in start.items()}
    recipe = RECIPE.model_copy(update={"optimizer": chosen})
    stepper = build_optimizer(recipe, stacked, owners)
    for step in gradients:
        for name, tensor in stacked.items():
            tensor.grad = step[name].clone()
        stepper.step()
    for name in SHAPES:
        scale = 0.25 if name == "first.bias" else 1.0
        expected = start[name] - RECIPE.lr * scale * sum(step[name] for step in gradients)
        torch.testing.assert_close(stacked[name], expected)
        for r in range(REPLICAS):
            assert owners[r][name].data_ptr() == stacked[name][r].data_ptr()


def test_bare_parameters_do_not_hide_what_the_step_looks_at() -> None:
    """Vmapped, a parameter is a tensor without class and attributes."""
    chosen = torch_optimizer(ScalingStep)
    assert needs_of(chosen).loop_reason is None
    found = needs_of(chosen, owners=owners_of(draws()[0]))
    assert "something else" in str(found.loop_reason)


def test_storage_follows_the_stack_in_another_precision() -> None:
    start, gradients = draws()
    stacked = {name: tensor.double() for name, tensor in start.items()}
    recipe = RECIPE.model_copy(update={"optimizer": torch_optimizer(ScalingStep)})
    owners = owners_of(start)
    stepper = build_optimizer(recipe, stacked, owners)
    for name, tensor in stacked.items():
        tensor.grad = gradients[0][name].double()
    stepper.step()
    assert owners[2]["first.bias"].dtype == torch.float64
    assert torch.equal(owners[2]["first.bias"], stacked["first.bias"][2])
