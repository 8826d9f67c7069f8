"""Decays that depend on the input."""

from __future__ import annotations

import torch
from torch.nn.functional import softplus

import synthbench as sb


def test_steps_and_decays_are_their_formula() -> None:
    torch.manual_seed(0)
    decay = sb.SelectiveDecay(5, 3).double()
    x = torch.randn(2, 4, 5, dtype=torch.float64)
    step, log_decay = decay(x)
    expected = softplus(x @ decay.step.weight.T + decay.step.bias)
    torch.testing.assert_close(step, expected)
    torch.testing.assert_close(log_decay.exp(), torch.exp(-expected * decay.log_rate.exp()))
    assert step.shape == log_decay.shape == (2, 4, 3) and (log_decay <= 0).all()


def test_it_begins_with_the_papers_rates_and_steps() -> None:
    torch.manual_seed(0)
    decay = sb.SelectiveDecay(5, 4000)
    step, log_decay = decay(torch.zeros(5))
    rate = -log_decay / step
    assert 0.99 < rate.min() < 1.1 and 15.9 < rate.max() < 16.01
    assert abs(rate.mean().item() - 8.5) < 0.3
    assert 0.99e-3 < step.min() < 1.1e-3 and 0.095 < step.max() < 0.101
    # Log-uniform: half of them below the geometric mean.
    assert abs((step < 1e-2).float().mean().item() - 0.5) < 0.05
