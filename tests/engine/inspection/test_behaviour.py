"""Cells whose plans differ in numbers alone are told apart where they do something else."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

import synthbench as sb
from synthbench.engine.inspection.behaviour import behaviour
from synthbench.plan.cell import Cell
from tests.testing.tasks.sound import Dictator

PROTOCOL = sb.Protocol(budget=3_200, seeds=2, evaluation_samples=64)


class Linear(nn.Module):
    """What is done with its output is out of sight."""

    def __init__(self, then: Callable[[Tensor], Tensor], **attributes: object) -> None:
        super().__init__()
        self.weights, self.then = nn.Linear(8, 1), then
        for name, value in attributes.items():
            setattr(self, name, value)

    def forward(self, x: Tensor) -> Tensor:
        return self.then(self.weights(x)).squeeze(-1)


class Slotted:
    __slots__ = ("rate",)


def closure(rate: float) -> nn.Module:
    return Linear(lambda x: x * rate)


def partial(rate: float) -> nn.Module:
    return Linear(functools.partial(torch.mul, torch.tensor(rate)))


def hook(rate: float) -> nn.Module:
    module = Linear(lambda x: x)
    module.weights.register_forward_hook(lambda _, __, output: output * rate)
    return module


def gradient(rate: float) -> nn.Module:
    module = Linear(lambda x: x)
    module.weights.weight.register_hook(lambda gradient: gradient * rate)
    return module


def slot(rate: float) -> nn.Module:
    slotted = Slotted()
    slotted.rate = rate
    return Linear(lambda x: x * slotted.rate, slotted=slotted)


def attribute(rate: float) -> nn.Module:
    return Linear(lambda x: x, rate=rate)


def evaluated(rate: float) -> nn.Module:
    module = Linear(lambda x: x)
    module.then = lambda x: x if module.training else x * rate
    return module


def frozen(rate: float) -> nn.Module:
    module = Linear(lambda x: x)
    module.weights.bias.requires_grad_(rate < 0.15)
    return module


def tied(rate: float) -> nn.Module:
    module = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8), Linear(lambda x: x))
    if rate > 0.15:
        module[1].weight = module[0].weight
    return module


def wide(rate: float) -> nn.Module:
    return nn.Sequential(nn.Linear(8, round(100 * rate)), nn.LazyLinear(1), nn.Flatten(0))


def unaware(_: float) -> nn.Module:
    return Linear(torch.tanh)


AWARE = (closure, partial, hook, gradient, slot, attribute, evaluated, frozen, tied, wide)
BUILDERS = {builder.__name__: builder for builder in (*AWARE, unaware)}


class Aware(sb.Model):
    """May put its learning rate into its module."""

    name = "aware"
    inputs = (sb.Signs,)
    outputs = (sb.Margin,)
    kind: str
    recipe: sb.Recipe = sb.Recipe()

    def build(self, interface: sb.Interface) -> nn.Module:
        return BUILDERS[self.kind](self.recipe.lr)


def cell(kind: str, rate: float = 0.1, task: sb.Task | None = None) -> Cell:
    return Cell(task or Dictator(n=8), Aware(kind=kind, recipe=sb.Recipe(lr=rate)), PROTOCOL)


@pytest.mark.parametrize("kind", [builder.__name__ for builder in AWARE])
def test_a_network_that_knows_its_learning_rate_is_told_from_others(kind: str) -> None:
    one, other = cell(kind, 0.1), cell(kind, 0.2)
    assert behaviour(one, one) != behaviour(other, one)


def test_networks_that_do_not_know_it_are_alike_whatever_their_seeds() -> None:
    one, other = cell("unaware", 0.1), cell("unaware", 0.2)
    later = replace(other, protocol=PROTOCOL.model_copy(update={"first_seed": 7}))
    assert behaviour(one, one) == behaviour(other, one) == behaviour(later, one)


class Said(Dictator):
    """Says that its field changes samples alone."""

    sample_fields: ClassVar[tuple[str, ...]] = ("number",)
    number: float = 0.0


class Honest(Said):
    def sample(self, world: Tensor, rng: sb.Stream, size: int) -> sb.Batch:
        batch = super().sample(world, rng, size)
        return batch._replace(x=torch.where(rng.uniform(batch.x.shape) < self.number, 1.0, batch.x))


class Scored(Said):
    def score(self, output: Tensor, batch: sb.Batch) -> dict[str, Tensor]:
        return {"accuracy": ((output - self.number) * batch.y > 0).float().mean()}


class Lost(Said):
    def losses(self) -> dict[str, Callable[[Tensor, sb.Batch], Tensor]]:
        name, loss = next(iter(super().losses().items()))
        return {name: lambda output, batch: loss(output, batch) + self.number}


class Aggregated(Said):
    def aggregate(self, scores: dict[str, Tensor]) -> dict[str, Tensor]:
        return {name: value - self.number for name, value in scores.items()}


class SeveralSets(Said):
    def test_sets(self) -> dict[str, sb.TestSet]:
        own = sb.TestSet(sample=self.sample)
        return {"iid": own, **({"other": own} if self.number else {})}


@pytest.mark.parametrize("kind", [Scored, Lost, Aggregated, SeveralSets])
def test_a_field_that_is_said_to_change_samples_alone_and_changes_more_is_seen(
    kind: type[Said],
) -> None:
    one, other = (cell("unaware", task=kind(n=8, number=number)) for number in (0.0, 0.3))
    assert behaviour(one, one) != behaviour(other, one)


def test_a_field_that_changes_samples_alone_does_not_count() -> None:
    one, other = (cell("unaware", task=Honest(n=8, number=number)) for number in (0.0, 0.3))
    assert behaviour(one, one) == behaviour(other, one)
