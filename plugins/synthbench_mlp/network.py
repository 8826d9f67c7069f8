"""The network of a multi-layer perceptron."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from torch import Tensor, nn

from synthbench import one_hot
from synthbench_mlp.activations import activation
from synthbench_mlp.choices import Activation


class Network(nn.Module):
    """Hidden layers over the whole input as one vector, then a linear read-out."""

    def __init__(
        self,
        hidden: nn.Sequential,
        width: int,
        shape: tuple[int, ...],
        bias: bool,
        symbols: int | None,
    ) -> None:
        """hidden: (B, n) -> (B, width); shape: of one output; symbols: of an input of tokens."""
        super().__init__()
        self.shape, self.symbols = shape, symbols
        self.hidden = hidden
        self.readout = nn.Linear(width, prod(shape), bias)

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, ...) -> (B, *shape), for a margin (B,)."""
        if self.symbols is not None:
            x = one_hot(x, self.symbols, self.readout.weight.dtype)
        output: Tensor = self.readout(self.hidden(x.flatten(1)))
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
