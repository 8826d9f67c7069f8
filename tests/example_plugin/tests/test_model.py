"""Gated linear units obey every law of models, and the forward pass is the formula."""

from math import exp

import pytest
import torch
from synthbench_example.gated_linear import GatedLinear

from synthbench import Interface, Margin, Signs
from synthbench.testing import check_model


def test_every_law() -> None:
    check_model(GatedLinear())


def test_the_forward_pass_by_hand() -> None:
    network = GatedLinear(width=3).build(Interface(Signs(4), Margin()))
    x = torch.tensor([[1.0, -1.0, 1.0, 1.0], [-1.0, -1.0, 1.0, -1.0]])

    def sums(layer: torch.nn.Linear, signs: list[float]) -> list[float]:
        rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
        return [sum(w * s for w, s in zip(row, signs, strict=True)) + b for row, b in rows]

    for signs, margin in zip(x.tolist(), network(x).tolist(), strict=True):
        values, gates = sums(network.value, signs), sums(network.gate, signs)
        units = [v / (1 + exp(-g)) for v, g in zip(values, gates, strict=True)]
        assert margin == pytest.approx(sums(network.readout, units)[0], abs=1e-6)
