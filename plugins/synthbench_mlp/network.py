"""The network of a multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

from synthbench_mlp.activations import activation
from synthbench_mlp.choices import Activation


class Network(nn.Module):
    """Hidden layers, then a linear read-out of shape (B,)."""

    def __init__(
        self, sizes: Sequence[int], activation_name: Activation, exponent: int, bias: bool
    ) -> None:
        """sizes: of the input and of every hidden layer; exponent: of a power."""
        super().__init__()
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(sizes):
            layers += [nn.Linear(fan_in, fan_out, bias), activation(activation_name, exponent)]
        self.hidden = nn.Sequential(*layers)
        self.readout = nn.Linear(sizes[-1], 1, bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, n) -> margin (B,)."""
        margin: Tensor = self.readout(self.hidden(x))
        return margin.squeeze(-1)
