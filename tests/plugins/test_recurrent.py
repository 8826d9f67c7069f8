"""Recurrent networks against their formulas; `-m slow` trains them in evaluations."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

import synthbench as sb
from synthbench_recurrent.mixers import linear_scan
from tests.plugins.mixing import check_evaluates, check_learns, check_long, check_steps, mixer, rows

MODELS = ["lstm", "gru", "min-gru"]


def gates(w: dict[str, Tensor], x: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
    """What the input and what the state gives to every gate, side by side."""
    by_input = w["recurrence.weight_ih_l0"] @ x + w["recurrence.bias_ih_l0"]
    return by_input, w["recurrence.weight_hh_l0"] @ hidden + w["recurrence.bias_hh_l0"]


def test_the_lstm_is_its_formula() -> None:
    one, x = mixer("lstm width=3", 6), rows("lstm width=3", 6, batch=1)
    w, hidden, cell = dict(one.named_parameters()), torch.zeros(3).double(), torch.zeros(3).double()
    for t in range(6):
        i, f, g, o = sum(gates(w, x[0, t], hidden)).chunk(4)
        cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
        hidden = o.sigmoid() * cell.tanh()
        torch.testing.assert_close(one(x)[0, t], hidden, rtol=1e-9, atol=1e-9)


def test_the_gru_is_its_formula() -> None:
    one, x = mixer("gru width=3", 6), rows("gru width=3", 6, batch=1)
    w, hidden = dict(one.named_parameters()), torch.zeros(3).double()
    for t in range(6):
        by_input, by_state = (each.chunk(3) for each in gates(w, x[0, t], hidden))
        reset, keep = ((a + b).sigmoid() for a, b in zip(by_input[:2], by_state[:2], strict=True))
        hidden = keep * hidden + (1 - keep) * (by_input[2] + reset * by_state[2]).tanh()
        torch.testing.assert_close(one(x)[0, t], hidden, rtol=1e-9, atol=1e-9)


def test_the_minimal_gru_is_its_formula() -> None:
    one, x = mixer("min-gru width=3", 6), rows("min-gru width=3", 6, batch=1)
    hidden = torch.zeros(3).double()
    for t in range(6):
        z = torch.sigmoid(one.gate.weight @ x[0, t] + one.gate.bias)
        hidden = (1 - z) * hidden + z * (one.candidate.weight @ x[0, t] + one.candidate.bias)
        torch.testing.assert_close(one(x)[0, t], hidden, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("length", [1, 2, 7, 16, 33])
def test_the_scan_is_the_recursion(length: int) -> None:
    generator = torch.Generator().manual_seed(length)
    decay, added = (torch.randn(2, length, 3, generator=generator).double() for _ in range(2))
    hidden = torch.zeros(2, 3).double()
    found = linear_scan(decay, added)
    for t in range(length):
        hidden = decay[:, t] * hidden + added[:, t]
        torch.testing.assert_close(found[:, t], hidden, rtol=1e-9, atol=1e-9)


def test_the_scan_survives_decays_that_underflow() -> None:
    added = torch.ones(1, 256, 1)
    assert torch.equal(linear_scan(torch.full((1, 256, 1), 1e-30), added), added)
    kept = linear_scan(torch.ones(1, 256, 1), added).flatten()
    assert torch.equal(kept, torch.arange(1.0, 257.0))


@pytest.mark.parametrize("model", MODELS)
def test_one_position_at_a_time(model: str) -> None:
    check_steps(f"{model} width=8", 19)


@pytest.mark.parametrize("model", MODELS)
def test_long_sequences_in_single_precision(model: str) -> None:
    check_long(f"{model} width=16")


@pytest.mark.parametrize("model", MODELS)
def test_they_learn(model: str) -> None:
    check_learns(f"{model} width=16")


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_they_learn_in_an_evaluation(model: str, out: Path, settings: sb.Settings) -> None:
    check_evaluates(f"{model} width=16", out, settings, stacked=model == "min-gru")
