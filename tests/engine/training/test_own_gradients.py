"""Optimizers with closures or graphs, trained by the engine, against a plain loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from torch import nn

import synthbench as sb
from synthbench.engine.axis.building import build_modules
from synthbench.engine.axis.way import Way
from synthbench.engine.data.sampling import batch_at, draw_worlds
from synthbench.engine.data.training_data import training_data
from synthbench.engine.inspection.cell import inspect_cell
from synthbench.plan.cell import Cell
from synthbench.streams import keys_of
from tests.engine.authored import Plain
from tests.engine.test_replica_independence import train

STEPS = 6


class Lbfgs(sb.Optimizer):
    """Torch's own, which evaluates the loss several times a step."""

    name: ClassVar[str] = "lbfgs"

    def build(
        self, parameters: Mapping[str, nn.Parameter], recipe: sb.Recipe
    ) -> torch.optim.Optimizer:
        return torch.optim.LBFGS(list(parameters.values()), lr=recipe.lr, max_iter=3)


class Curved(torch.optim.Optimizer):
    """Divides by the absolute row sums of the Hessian, which it differentiates."""

    def __init__(self, parameters: list[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    def step(self, closure: object = None) -> None:
        group = self.param_groups[0]
        own = [p for p in group["params"] if p.grad is not None]
        if any(p.grad.grad_fn is None for p in own):
            raise RuntimeError("gradients need a graph: backward(create_graph=True)")
        curves = torch.autograd.grad(
            sum(p.grad.sum() for p in own), own, allow_unused=True, materialize_grads=True
        )
        with torch.no_grad():
            for parameter, curve in zip(own, curves, strict=True):
                parameter.sub_(group["lr"] * parameter.grad / (1 + curve.abs()))


class SecondOrder(sb.Optimizer):
    """Needs gradients that can be differentiated."""

    name: ClassVar[str] = "second-order"
    graph: ClassVar[bool] = True

    def build(
        self, parameters: Mapping[str, nn.Parameter], recipe: sb.Recipe
    ) -> torch.optim.Optimizer:
        return Curved(list(parameters.values()), recipe.lr)


@pytest.mark.parametrize("optimizer", [Lbfgs(), SecondOrder()], ids=lambda each: each.name)
@pytest.mark.parametrize("clip", [None, 0.05])
def test_it_trains_as_a_plain_loop_does(
    optimizer: sb.Optimizer, clip: float | None, small_cell: Cell, tmp_path: Path
) -> None:
    recipe = sb.Recipe(optimizer=optimizer, lr=0.1, batch_size=32, clip=clip)
    model = Plain(recipe=recipe)
    protocol = small_cell.protocol.model_copy(update={"budget": STEPS * 32})
    cell = replace(small_cell, model=model, protocol=protocol)
    facts = inspect_cell(cell)
    assert facts.ways.right == (Way.PLAIN,) and facts.ways.loop_reason is not None
    found = train(cell, [3, 4], 2, tmp_path, Way.PLAIN)
    expected = _plain_loop(cell, 4)
    for name, parameter in expected.named_parameters():
        torch.testing.assert_close(found.weights[name][1], parameter.detach(), rtol=0, atol=0)


def _plain_loop(cell: Cell, seed: int) -> nn.Module:
    """As its author would write it."""
    (module,) = build_modules(cell.model, cell.interface, [seed])
    keys, recipe = keys_of([seed]), cell.model.recipe
    batches = training_data(cell, draw_worlds(cell.task, keys), keys).batches(range(STEPS), 32)
    assert isinstance(recipe.optimizer, sb.Optimizer)
    optimizer = recipe.optimizer.build(dict(module.named_parameters()), recipe)
    assert isinstance(optimizer, torch.optim.Optimizer)
    loss_of = next(iter(cell.task.losses().values()))
    for step in range(STEPS):
        batch = batch_at(batch_at(batches, step), 0)

        def closure() -> torch.Tensor:
            optimizer.zero_grad()
            loss = loss_of(module(batch.x), batch)  # noqa: B023
            loss.backward(create_graph=isinstance(recipe.optimizer, SecondOrder))
            if recipe.clip is not None:
                norm = sum(p.grad.square().sum() for p in module.parameters()).sqrt()
                for parameter in module.parameters():
                    parameter.grad = parameter.grad * torch.clamp(
                        recipe.clip / (norm + 1e-6), max=1.0
                    )
            return loss

        if isinstance(recipe.optimizer, SecondOrder):
            closure()
            optimizer.step()
        else:
            optimizer.step(closure)
    return module
