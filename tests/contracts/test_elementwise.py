"""What the built-in optimizers say of themselves, against what the engine does."""

from __future__ import annotations

import pytest
import torch

from synthbench.contracts.elementwise import ELEMENTWISE, SHARED
from synthbench.contracts.recipe import ELEMENTWISE as NAMES
from synthbench.contracts.recipe import Recipe
from synthbench.engine.optimizers.elementwise import ElementwiseOptimizer

ELSEWHERE = {
    "lr": 0.02, "weight_decay": 0.3, "decayed": "matrices", "clip": 0.1, "schedule": "linear",
    "warmup": 2, "lr_final": 0.5, "decay": 0.7, "momentum": 0.9, "nesterov": True,
    "beta1": 0.5, "beta2": 0.5, "eps": 0.1,
}  # fmt: skip
NEEDED = {
    "nesterov": {"momentum": 0.9},
    "decayed": {"weight_decay": 0.3},
    "lr_final": {"schedule": "linear"},
    "decay": {"schedule": "warmup-stable-decay"},
}
"""What must be set for a field to have an effect."""


def trained(**fields: object) -> torch.Tensor:
    """Weights and a bias of one replica after five steps on fixed gradients."""
    generator = torch.Generator().manual_seed(0)
    stacked = {
        "weight": torch.randn(1, 2, 3, generator=generator),
        "bias": torch.randn(1, 3, generator=generator),
    }
    optimizer = ElementwiseOptimizer([Recipe(**fields)], stacked, 10)
    for _ in range(5):
        for tensor in stacked.values():
            tensor.grad = torch.randn(tensor.shape, generator=generator)
        optimizer.step()
    return torch.cat([tensor.flatten() for tensor in stacked.values()])


def test_all_that_the_recipe_knows_are_described() -> None:
    assert tuple(ELEMENTWISE) == NAMES


def test_every_field_of_the_recipe_is_tried() -> None:
    assert {*Recipe.model_fields} - {"optimizer", "batch_size", "loss"} == {*ELSEWHERE}


@pytest.mark.parametrize("field", ELSEWHERE)
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_the_fields_it_names_are_those_that_change_its_steps(name: str, field: str) -> None:
    listed = (*ELEMENTWISE[name].fields, *SHARED)
    before = {"optimizer": name, "lr": 0.1, **NEEDED.get(field, {})}
    if name != "sgd" and field in ("momentum", "nesterov"):
        assert field not in listed
        return
    changed = trained(**{**before, field: ELSEWHERE[field]})
    assert torch.equal(trained(**before), changed) == (field not in listed)
