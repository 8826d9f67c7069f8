"""The network of a KAN."""

from __future__ import annotations

from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from synthbench_kan.splines import b_splines

SPLINE_STD = 0.1
"""Of a spline on its grid at first, relative to its share of a sum over the inputs."""


class KANLayer(nn.Module):
    """y_j = sum_i w_ji silu(x_i) + sum_ig c_jig B_g(x_i): a function of its own on every edge."""

    def __init__(self, inputs: int, outputs: int, grid: int, order: int, reach: float) -> None:
        """grid, order and reach: of `b_splines`."""
        super().__init__()
        self.grid, self.order, self.reach = grid, order, reach
        self.base = nn.Linear(inputs, outputs, bias=False)
        std = SPLINE_STD / inputs**0.5
        self.coefficients = nn.Parameter(std * torch.randn(outputs, inputs * (grid + order)))

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs) -> (B, outputs)."""
        bases = b_splines(x, self.grid, self.order, self.reach).flatten(1)
        y: Tensor = self.base(silu(x)) + bases @ self.coefficients.T
        return y


class KANNetwork(nn.Module):
    """Layers over the whole input as one vector, of which the last gives the output."""

    def __init__(
        self, sizes: list[int], shape: tuple[int, ...], grid: int, order: int, reach: float
    ) -> None:
        """sizes: of the input and of every hidden layer; shape: of one output."""
        super().__init__()
        self.shape = shape
        self.layers = nn.Sequential(
            *(KANLayer(a, b, grid, order, reach) for a, b in pairwise([*sizes, prod(shape)]))
        )

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, ...) -> (B, *shape), for a margin (B,)."""
        output: Tensor = self.layers(x.flatten(1))
        return output.reshape(x.shape[0], *self.shape)
