"""What vmap cannot take is stepped one replica at a time."""

from __future__ import annotations

import pytest
import torch

from synthbench.engine.optimizers.trial import optimizer_needs
from tests.engine.optimizers.stepping import RECIPE, draws, stepped
from tests.engine.optimizing import Normalized, ReplacingStep, StumblingStep, torch_optimizer


@pytest.mark.parametrize("company", [[0, 1], [1, 0], [1]])
def test_a_replica_whose_step_raises_ends_alone_in_any_company(company: list[int]) -> None:
    start, gradients = draws()
    start["first.bias"][1, 0] = 2000.0
    with pytest.warns(UserWarning, match="a replica ends, as diverged: .* ArithmeticError: too"):
        found = stepped(
            torch_optimizer(StumblingStep),
            {name: tensor[company] for name, tensor in start.items()},
            [{name: g[company] for name, g in step.items()} for step in gradients],
            looped=True,
        )
    for name, tensor in found.items():
        for place, r in enumerate(company):
            expected = start[name][r] - RECIPE.lr * sum(step[name][r] for step in gradients)
            if r == 1:
                expected = torch.full_like(expected, torch.nan)
            torch.testing.assert_close(tensor[place], expected, equal_nan=True)


def test_scalars_are_parameters_too() -> None:
    start = {"temperature": torch.tensor([1.0, 2.0]), "weight": torch.ones(2, 3)}
    gradients = [{"temperature": torch.tensor([0.5, 0.25]), "weight": torch.ones(2, 3)}]
    shapes = (("temperature", ()), ("weight", (3,)))
    assert optimizer_needs(Normalized(), RECIPE, shapes, "cpu").loop_reason is not None
    looped = stepped(Normalized(), start, gradients, looped=True)
    assert looped["temperature"].tolist() == pytest.approx([0.95, 1.95])


def test_an_optimizer_may_put_new_tensors_in_the_parameters_places() -> None:
    start, gradients = draws(2)
    found = stepped(torch_optimizer(ReplacingStep), start, gradients, looped=True)
    for name, tensor in found.items():
        total = sum(step[name] for step in gradients)
        torch.testing.assert_close(tensor, start[name] - RECIPE.lr * total, rtol=1e-4, atol=1e-5)
