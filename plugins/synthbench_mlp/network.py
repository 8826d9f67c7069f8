"""The network of a multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import Tensor, nn

from synthbench_mlp.activations import activation
from synthbench_mlp.choices import Activation
from synthbench_mlp.reading import VectorReading


class Network(nn.Module):
    """Hidden layers over the whole input as one vector, then a linear read-out."""

    def __init__(
        self,
        reading: VectorReading,
        hidden: nn.Sequential,
        width: int,
        shape: tuple[int, ...],
        bias: bool,
    ) -> None:
        """hidden: (B, n) -> (B, width); shape: of one output."""
        super().__init__()
        self.reading, self.shape = reading, shape
        self.hidden = hidden
        self.readout = nn.Linear(width, prod(shape), bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, ...) -> (B, *shape), for a margin (B,)."""
        read = self.reading(x, self.readout.weight.dtype)
        output: Tensor = self.readout(self.hidden(read))
        return output.reshape(x.shape[0], *self.shape)


def hidden_layers(
    sizes: Sequence[int], activation_name: Activation, exponent: int, bias: bool
) -> nn.Sequential:
    """Linear layers, each followed by its activation.

    sizes: of the input and of every hidden layer; exponent: of a power.
    """
    layers: list[nn.Module] = []
    for fan_in, fan_out in pairwise(sizes):
        layers += [nn.Linear(fan_in, fan_out, bias), activation(activation_name, exponent)]
    return nn.Sequential(*layers)
