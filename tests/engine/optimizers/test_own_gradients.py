"""Closures, and gradients with a graph: each replica's own parameters have the gradients."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import synthbench as sb
from synthbench.engine.optimizers.build import build_optimizer
from synthbench.engine.optimizers.replica_optimizer import ReplicaOptimizer
from synthbench.errors import ModelError
from tests.engine.optimizers.asking import (
    ClosureAndCurvatureStep,
    CurvatureStep,
    EvaluatedBeforeStep,
    SharpnessAwareStep,
)
from tests.engine.optimizers.stepping import RECIPE, needs_of
from tests.engine.optimizing import torch_optimizer

REPLICAS, STEPS = 3, 6
ASKING = [
    (partial(torch.optim.LBFGS, max_iter=4), True, False),
    (SharpnessAwareStep, True, False),
    (CurvatureStep, False, True),
    (ClosureAndCurvatureStep, True, True),
]
"""Optimizer, whether it needs a closure, and whether a graph."""
NAMES = ["lbfgs", "sam", "graph", "both"]


def networks() -> list[nn.Module]:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return [nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 1)) for _ in range(REPLICAS)]


def losses(network: nn.Module, r: int, graph: bool) -> Callable[[], Tensor]:
    """The closure of a plain loop, on data of replica r."""
    x = torch.linspace(-1, 1 + r, 40).reshape(8, 5)

    def closure() -> Tensor:
        network.zero_grad()
        loss = (network(x) - x.sum(1, keepdim=True).sin()).square().mean()
        loss.backward(create_graph=graph)
        return loss

    return closure


def by_hand(kind: Any, closure: bool, graph: bool) -> list[nn.Module]:
    trained = networks()
    for r, network in enumerate(trained):
        optimizer, evaluate = kind(network.parameters(), lr=0.05), losses(network, r, graph)
        for _ in range(STEPS):
            with torch.set_grad_enabled(graph):
                if closure:
                    optimizer.step(torch.enable_grad()(evaluate))
                else:
                    with torch.enable_grad():
                        evaluate()
                    optimizer.step()
    return trained


def on_the_axis(kind: Any, closure: bool, graph: bool) -> dict[str, Tensor]:
    modules = networks()
    owners = [dict(module.named_parameters()) for module in modules]
    stacked = {n: torch.stack([o[n].detach() for o in owners]) for n in owners[0]}
    optimizer = build_optimizer(
        RECIPE.model_copy(update={"optimizer": torch_optimizer(kind)}), stacked, owners
    )
    assert isinstance(optimizer, ReplicaOptimizer)
    closures = [losses(module, r, graph) for r, module in enumerate(modules)]
    for _ in range(STEPS):
        optimizer.closures = closures if closure else None
        if not closure:
            for evaluate in closures:
                evaluate()
        optimizer.step()
    for r, module in enumerate(modules):
        for name, parameter in module.named_parameters():
            assert torch.equal(parameter, stacked[name][r]), "the module is what is trained"
    return stacked


@pytest.mark.filterwarnings("ignore:Using backward.. with create_graph=True")
@pytest.mark.parametrize(
    ("kind", "closure", "graph"), ASKING, ids=["lbfgs", "sam", "graph", "both"]
)
def test_each_replica_is_trained_as_by_a_plain_loop(kind: Any, closure: bool, graph: bool) -> None:
    needs = needs_of(torch_optimizer(kind))
    assert (needs.closure, needs.graph) == (closure, graph) and needs.loop_reason and needs.resumes
    stacked = on_the_axis(kind, closure, graph)
    for r, network in enumerate(by_hand(kind, closure, graph)):
        for name, parameter in network.named_parameters():
            assert torch.equal(stacked[name][r], parameter), name


def test_gradients_that_the_step_expects_are_evaluated_before_it() -> None:
    """What an earlier step left was taken a little uphill."""
    assert needs_of(torch_optimizer(EvaluatedBeforeStep)).evaluated
    assert not needs_of(torch_optimizer(SharpnessAwareStep)).evaluated
    expected = on_the_axis(SharpnessAwareStep, closure=True, graph=False)
    for name, tensor in on_the_axis(EvaluatedBeforeStep, closure=True, graph=False).items():
        assert torch.equal(tensor, expected[name])


def test_a_replica_that_diverges_or_fails_ends_alone() -> None:
    start = {"weight": torch.ones(4, 3)}
    chosen = torch_optimizer(SharpnessAwareStep)
    stepper = ReplicaOptimizer(chosen, RECIPE, start, needs_of(chosen))

    def bowl(r: int) -> Tensor:
        (p,) = stepper.own[r].values()
        p.grad = p.detach() * (torch.inf if r == 1 else 1.0)
        if r == 2:
            raise ArithmeticError("too large")
        return p.square().sum()

    stepper.closures = [lambda r=r: bowl(r) for r in range(4)]
    with pytest.warns(UserWarning, match="a replica ends, as diverged: .* ArithmeticError"):
        for _ in range(2):
            stepper.step()
    # Uphill by a tenth of p, so that a step takes 1.1 lr of p.
    torch.testing.assert_close(start["weight"][[0, 3]], torch.full((2, 3), 0.945**2))
    assert start["weight"][[1, 2]].isnan().all()


def test_without_closures_the_step_says_what_is_missing() -> None:
    chosen = torch_optimizer(SharpnessAwareStep)
    stepper = ReplicaOptimizer(chosen, RECIPE, {"weight": torch.ones(2, 3)}, needs_of(chosen))
    with pytest.raises(ModelError, match='step of optimizer "made" needs a closure'):
        stepper.step()


def test_a_class_may_say_that_its_later_steps_need_a_graph() -> None:
    class Later(sb.Optimizer):
        """Its trial works without."""

        name = "later"
        graph = True

        def build(self, parameters: Any, recipe: sb.Recipe) -> torch.optim.Optimizer:
            return torch.optim.SGD(list(parameters.values()), lr=recipe.lr)

    assert needs_of(Later()).graph
