"""Grokfast is the paper's filter in front of torch's own AdamW or Adam."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import synthbench as sb
from synthbench.registry.registry import installed
from synthbench.testing import check_optimizer
from synthbench.testing.optimizers import laws
from tests.engine.optimizers.stepping import (
    RECIPE,
    REPLICAS,
    STEPS,
    Named,
    draws,
    needs_of,
    stepped,
)

ALPHA, LAMB = 0.9, 3.0
BASES = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}


def by_hand(base: str, start: Named, gradients: list[Named], replica: int) -> Named:
    """The released loop: the mean begins with the first gradient, then filter, then step."""
    own = {name: nn.Parameter(tensor[replica].clone()) for name, tensor in start.items()}
    optimizer = BASES[base](own.values(), lr=0.05, weight_decay=0.1, foreach=False)
    means: Named = {}
    for step in gradients:
        for name, parameter in own.items():
            gradient = step[name][replica]
            means[name] = ALPHA * means.get(name, gradient) + (1 - ALPHA) * gradient
            parameter.grad = gradient + LAMB * means[name]
        optimizer.step()
    return {name: parameter.detach() for name, parameter in own.items()}


@pytest.mark.parametrize("looped", [True, False], ids=["looped", "vmapped"])
@pytest.mark.parametrize("base", ["adamw", "adam"])
def test_the_papers_loop_of_each_replica(base: str, looped: bool) -> None:
    start, gradients = draws()
    chosen = installed().optimizer(f"grokfast base={base} alpha={ALPHA} lamb={LAMB}")
    found = stepped(chosen, start, gradients, looped)
    for replica in range(REPLICAS):
        for name, expected in by_hand(base, start, gradients, replica).items():
            torch.testing.assert_close(found[name][replica], expected)


@pytest.mark.parametrize("base", ["adamw", "adam"])
def test_without_amplification_it_is_its_base(base: str) -> None:
    """To the bit, against torch's optimizer of each replica."""
    start, gradients = draws()
    found = stepped(installed().optimizer(f"grokfast base={base} lamb=0"), start, gradients, True)
    for replica in range(REPLICAS):
        own = [nn.Parameter(tensor[replica].clone()) for tensor in start.values()]
        optimizer = BASES[base](own, lr=0.05, weight_decay=0.1, foreach=False)
        for step in gradients:
            for parameter, gradient in zip(own, step.values(), strict=True):
                parameter.grad = gradient[replica].clone()
            optimizer.step()
        for name, parameter in zip(start, own, strict=True):
            assert torch.equal(found[name][replica], parameter.detach()), name


def test_of_a_constant_gradient_it_is_a_multiple() -> None:
    """The mean of equal gradients is that gradient: g + lamb g, which Adam's step divides out."""
    weight = nn.Parameter(torch.tensor([[1.0, -2.0]]))
    optimizer = installed().optimizer("grokfast").build({"weight": weight}, sb.Recipe(lr=0.1))
    for _ in range(3):
        weight.grad = torch.tensor([[0.5, -4.0]])
        optimizer.step()
    assert weight.tolist()[0] == pytest.approx([0.7, -1.7], abs=1e-6)


def test_decay_of_matrices_alone_leaves_vectors_as_they_are() -> None:
    recipe = sb.Recipe(lr=0.5, weight_decay=0.2, decayed="matrices")
    start = {"weight": torch.ones(1, 2), "bias": torch.ones(2)}
    own = {name: nn.Parameter(tensor.clone()) for name, tensor in start.items()}
    optimizer = installed().optimizer("grokfast").build(own, recipe)
    for parameter in own.values():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    assert own["weight"].tolist() == [[pytest.approx(0.9)] * 2] and own["bias"].tolist() == [1, 1]


def test_it_is_stacked_on_cpu() -> None:
    assert needs_of(installed().optimizer("grokfast")).loop_reason is None
    assert RECIPE.weight_decay > 0 and STEPS > 2


def test_every_law(monkeypatch: pytest.MonkeyPatch) -> None:
    """At a rate by which it descends, which is otherwise looked for."""
    monkeypatch.setattr(laws, "RATES", (0.1,))
    check_optimizer(installed().optimizer("grokfast"))
