"""Correlations with single coordinates, of functions made by hand."""

from __future__ import annotations

import dataclasses
import itertools
from math import tanh

import pytest
import torch

import synthbench as sb
from synthbench.testing import check_probe
from synthbench_parity.degree_one import DegreeOne
from tests.plugins.probing import measure, view_of

TASK, MODEL = "sparse-parity n=9 k=3", "mlp width=5"


def viewed(function, task: str = TASK) -> sb.View:
    """A view of a network that computes function(x, support)."""
    view = view_of(task, MODEL)
    return dataclasses.replace(view, forward=lambda p, x: function(x, view.world))


def logit(probability: torch.Tensor) -> torch.Tensor:
    """The margin whose tanh(m / 2) is that number."""
    return 2 * torch.atanh(probability)


def test_the_parity_and_a_constant_have_no_degree_one() -> None:
    for function in (
        lambda x, support: x[:, support].prod(dim=1),
        lambda x, support: torch.ones(len(x)),
    ):
        found = measure("degree-one", viewed(function))
        assert found["on"] == pytest.approx(0, abs=1e-6) == found["off"]


def test_a_linear_function_of_the_support_and_of_the_others() -> None:
    """0.2 x_a - 0.1 x_b + 0.3 x_a x_b + 0.06 x_c, with a, b on and c off the support."""

    def function(x: torch.Tensor, support: torch.Tensor) -> torch.Tensor:
        off = next(i for i in range(9) if i not in support.tolist())
        a, b, c = x[:, support[0]], x[:, support[1]], x[:, off]
        return logit(0.2 * a - 0.1 * b + 0.3 * a * b + 0.06 * c)

    found = measure("degree-one", viewed(function))
    assert found["on"] == pytest.approx((0.2 + 0.1 + 0) / 3, abs=1e-6)
    assert found["off"] == pytest.approx(0.06 / 6, abs=1e-6)
    assert found["contrast"] == pytest.approx(0.1 - 0.01, abs=1e-6)


def test_a_network_by_a_loop_over_all_inputs() -> None:
    view = view_of("sparse-parity n=6 k=2", MODEL)
    sums = [0.0] * 6
    for signs in itertools.product((-1.0, 1.0), repeat=6):
        output = tanh(float(view.forward(view.parameters, torch.tensor([signs]))) / 2)
        sums = [total + output * sign / 64 for total, sign in zip(sums, signs, strict=True)]
    support = view.world.tolist()
    on = sum(abs(sums[i]) for i in support) / 2
    off = sum(abs(sums[i]) for i in range(6) if i not in support) / 4
    found = measure("degree-one", view)
    assert found["on"] == pytest.approx(on, abs=1e-6)
    assert found["off"] == pytest.approx(off, abs=1e-6)


def test_samples_come_near_the_exact_value() -> None:
    """f = 0.5 x_a, sampled 4,000 times; elsewhere the mean of |N(0, f^2 / 4000)|."""
    task = "sparse-parity n=20 k=1"
    found = measure("degree-one samples=4000", viewed(lambda x, s: logit(0.5 * x[:, s[0]]), task))
    assert found["on"] == pytest.approx(0.5, abs=1e-5)
    assert found["off"] == pytest.approx((2 / torch.pi) ** 0.5 * 0.5 / 4000**0.5, rel=0.6)


def test_where_all_coordinates_matter_there_is_no_other() -> None:
    found = measure(
        "degree-one", viewed(lambda x, s: logit(0.5 * x[:, 0]), "sparse-parity n=3 k=3")
    )
    assert found["on"] == pytest.approx(0.5 / 3, abs=1e-6) and found["off"] == 0


def test_other_tasks_are_refused() -> None:
    with pytest.raises(ValueError, match="markov has none"):
        measure("degree-one", view_of("markov length=10", "transformer"))


def test_every_law() -> None:
    check_probe(DegreeOne(samples=256), task="sparse-parity n=8 k=2", model=MODEL)
