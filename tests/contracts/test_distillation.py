"""Distillation losses against torch's own divergences and each other."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch.distributions import Bernoulli, Categorical, kl_divergence

from synthbench.contracts.batch import Batch
from synthbench.contracts.distillation import (
    TEACHER,
    binary_divergence,
    categorical_divergence,
    distillation,
    divergence_of,
    mixed,
    squared_error,
)
from synthbench.contracts.interface import Margin, Signs, TokenLogits


def batch_of(target: torch.Tensor, y: torch.Tensor | None = None) -> Batch:
    labels = torch.zeros(target.shape[:2]) if y is None else y
    return Batch(torch.zeros(len(target), 1), labels, {TEACHER: target})


def drawn(*shape: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(len(shape))
    return tuple(3 * torch.randn(shape, generator=generator, dtype=torch.double) for _ in range(2))


@pytest.mark.parametrize("temperature", [1.0, 0.5, 4.0])
def test_divergences_are_those_of_torch(temperature: float) -> None:
    output, target = drawn(6, 5, 3)
    expected = kl_divergence(
        Categorical(logits=target / temperature), Categorical(logits=output / temperature)
    )
    loss = distillation(TokenLogits(3, 5), temperature)(output, batch_of(target))
    torch.testing.assert_close(loss, expected.mean() * temperature**2)
    output, target = drawn(7)
    expected = kl_divergence(
        Bernoulli(logits=target / temperature), Bernoulli(logits=output / temperature)
    )
    loss = distillation(Margin(), temperature)(output, batch_of(target, target.sign()))
    torch.testing.assert_close(loss, expected.mean() * temperature**2)


def test_a_margin_is_a_logit_of_two_classes() -> None:
    output, target = drawn(9)
    two = [torch.stack([margin, torch.zeros(9)], -1) for margin in (output, target)]
    torch.testing.assert_close(binary_divergence(output, target), categorical_divergence(*two))


def test_its_gradient_is_that_of_the_logistic_loss_where_the_teacher_is_sure() -> None:
    output = torch.linspace(-3, 3, 7, dtype=torch.double, requires_grad=True)
    y = torch.tensor([1, -1, 1, -1, 1, -1, 1.0], dtype=torch.double)
    soft = binary_divergence(output, 100 * y).mean()
    hard = torch.nn.functional.softplus(-y * output).mean()
    (ours,), (theirs,) = torch.autograd.grad(soft, output), torch.autograd.grad(hard, output)
    torch.testing.assert_close(ours, theirs)


def test_a_teacher_agrees_with_itself() -> None:
    for port, shape in ((TokenLogits(3, 5), (6, 5, 3)), (Margin(), (6,)), (Signs(4), (6, 4))):
        _, target = drawn(*shape)
        output = target.clone().requires_grad_()
        loss = distillation(port, 2.0)(output, batch_of(target))
        (gradient,) = torch.autograd.grad(loss, output)
        assert float(loss.detach()) == pytest.approx(0, abs=1e-12)
        assert gradient.abs().max() < 1e-12


def test_what_a_teacher_excludes_adds_nothing() -> None:
    output, target = drawn(2, 3)
    target[0, 1] = -torch.inf
    output.requires_grad_()
    value = categorical_divergence(output, target).sum()
    (gradient,) = torch.autograd.grad(value, output)
    assert value.isfinite() and gradient.isfinite().all()


def test_positions_that_are_not_asked_do_not_count() -> None:
    output, target = drawn(2, 4, 3)
    y = torch.tensor([[0, -100, 1, -100], [-100, -100, 2, 0]])
    loss = distillation(TokenLogits(3, 4), 1.0)(output, batch_of(target, y))
    values = categorical_divergence(output, target)
    torch.testing.assert_close(loss, values[y != -100].mean())


def test_other_outputs_are_compared_by_squared_error_whatever_the_temperature() -> None:
    @dataclass(frozen=True)
    class Finer(Margin):
        pass

    assert divergence_of(Signs(3)) is squared_error
    assert divergence_of(Finer()) is binary_divergence
    output, target = drawn(4, 3)
    for temperature in (1.0, 5.0):
        loss = distillation(Signs(3), temperature)(output, batch_of(target))
        torch.testing.assert_close(loss, (output - target).square().mean())


def test_mixing() -> None:
    def soft(output, batch):
        return torch.tensor(2.0)

    def own(output, batch):
        return torch.tensor(10.0)

    assert mixed(soft, own, 0) is soft
    assert float(mixed(soft, own, 0.25)(None, None)) == 4.0
