"""Muon on matrices and AdamW elsewhere, as torch has them."""

from __future__ import annotations

import torch
from torch import nn

import synthbench as sb
from synthbench.engine.optimizers.needs import LOOPED
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.engine.optimizers.schedule import learning_rate_factor
from synthbench.registry.registry import installed
from tests.engine.optimizers.stepping import MUON, RECIPE, REPLICAS, STEPS, draws, stepped
from tests.engine.optimizing import step_one, torch_optimizer


def test_muon_is_torchs_muon_and_adamw_of_each_replica() -> None:
    """To the bit, with a schedule: written without the plugin."""
    start, gradients = draws()
    rates = learning_rate_factor(sb.Recipe(schedule="linear"), STEPS)
    found = stepped(MUON, start, gradients, looped=True, rates=rates)
    for r in range(REPLICAS):
        own = {name: nn.Parameter(tensor[r].clone()) for name, tensor in start.items()}
        steppers = [
            torch.optim.Muon(
                [own["first.weight"], own["second.weight"]],
                lr=0.05, momentum=0.95, nesterov=True, weight_decay=0.1,
            ),
            torch.optim.AdamW([own["first.bias"]], lr=0.05, weight_decay=0.1),
        ]  # fmt: skip
        for index, step in enumerate(gradients):
            for stepper in steppers:
                stepper.param_groups[0]["lr"] = 0.05 * rates(index)
            step_one(steppers, {name: g[r] for name, g in step.items()}, own)
        for name, parameter in own.items():
            assert torch.equal(found[name][r], parameter.detach()), name


def test_muon_moves_a_matrix_alike_along_all_singular_directions() -> None:
    """The first update of a matrix is nearly orthogonal, whatever its gradient's spectrum."""
    gradient = torch.diag(torch.tensor([100.0, 1.0, 0.01]))[None].repeat(2, 1, 1)
    stacked = {"weight": torch.zeros(2, 3, 3)}
    stepper = ReplicaOptimizer(MUON, sb.Recipe(lr=1.0), stacked, LOOPED)
    stacked["weight"].grad = gradient
    stepper.step()
    values = torch.linalg.svdvals(stacked["weight"][0])
    assert values[0] < 1.3 and values[1] > 0.5, "SGD's would be 100 and 1"


def test_layers_named_for_adamw_are_left_to_adamw() -> None:
    start, gradients = draws()
    chosen = installed().optimizer("muon adamw=second,first.bias adamw_lr_ratio=0.5")
    found = stepped(chosen, start, gradients, looped=True)
    adamw = torch_optimizer(torch.optim.AdamW, weight_decay=0.1, foreach=False)
    half = {n: t for n, t in start.items() if n != "first.weight"}
    stacked = {name: tensor.clone() for name, tensor in half.items()}
    stepper = ReplicaOptimizer(adamw, RECIPE.model_copy(update={"lr": 0.025}), stacked, LOOPED)
    for step in gradients:
        for name, tensor in stacked.items():
            tensor.grad = step[name].clone()
        stepper.step()
    for name, tensor in stacked.items():
        assert torch.equal(found[name], tensor), name
    assert not torch.equal(
        found["first.weight"], stepped(adamw, start, gradients, True)["first.weight"]
    )
