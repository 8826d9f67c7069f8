"""Activations of hidden layers."""

from __future__ import annotations

from typing import get_args

import torch
from torch import Tensor, nn

from synthbench_mlp.choices import Activation


class Power(nn.Module):
    """x -> x^exponent, the polynomial activation of Barak et al. 2022."""

    def __init__(self, exponent: int) -> None:
        """exponent: a positive integer."""
        super().__init__()
        self.exponent = exponent

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise power."""
        return x**self.exponent


class Sin(nn.Module):
    """x -> sin(x)."""

    def forward(self, x: Tensor) -> Tensor:
        """Elementwise sine."""
        return torch.sin(x)


def activation(name: Activation, exponent: int) -> nn.Module:
    """The module of that name."""
    modules: dict[str, nn.Module] = {
        "relu": nn.ReLU(),
        "power": Power(exponent),
        "tanh": nn.Tanh(),
        "sin": Sin(),
        "gelu": nn.GELU(),
        "identity": nn.Identity(),
    }
    assert set(modules) == set(get_args(Activation))
    return modules[name]
