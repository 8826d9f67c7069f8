"""The gated short convolution against its formula."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import synthbench as sb
from synthbench.registry.registry import installed
from tests.plugins.mixing import check_evaluates, check_learns, check_long, check_steps, mixer, rows


@pytest.mark.parametrize("kernel", [2, 4, 20])
def test_one_position_at_a_time(kernel: int) -> None:
    check_steps(f"short-convolution width=8 kernel={kernel}")


def test_the_formula() -> None:
    reference = "short-convolution width=3 kernel=3"
    one, x = mixer(reference, 6), rows(reference, 6, batch=1)
    u, gate = (x[0] @ one.inputs.weight.T).split(3, -1)
    taps, bias = one.convolution.weight, one.convolution.bias
    y = torch.zeros(6, 3, dtype=torch.float64)
    for t in range(6):
        for channel in range(3):
            seen = sum(taps[j, channel] * u[t - j, channel] for j in range(min(3, t + 1)))
            y[t, channel] = (seen + bias[channel]) * gate[t, channel]
    torch.testing.assert_close(one(x)[0], y @ one.output.weight.T, rtol=1e-9, atol=1e-9)


def test_two_layers_see_no_further() -> None:
    torch.manual_seed(0)
    model = installed().model("short-convolution width=8 kernel=3")
    network = model.build(sb.Interface(sb.Tokens(3, 9), sb.TokenLogits(3, 9))).double()
    x = torch.zeros(1, 9, dtype=torch.int64)
    other = x.clone()
    other[0, 2] = 1
    changed = (network(x) != network(other))[0].any(-1)
    assert changed.tolist() == [False] * 2 + [True] * 5 + [False] * 2


def test_long_sequences_in_single_precision() -> None:
    check_long("short-convolution width=16")


def test_it_learns() -> None:
    check_learns("short-convolution width=16")


@pytest.mark.slow
def test_it_learns_in_an_evaluation(out: Path, settings: sb.Settings) -> None:
    check_evaluates("short-convolution width=16", out, settings)
