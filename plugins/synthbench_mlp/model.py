"""Multi-layer perceptrons with the activations and initializations of Barak et al. 2022."""

from __future__ import annotations

from itertools import pairwise
from typing import ClassVar

from pydantic import Field
from torch import Tensor, nn

from synthbench import Interface, Margin, Model, Recipe, Signs
from synthbench_mlp.activations import Activation, activation
from synthbench_mlp.initializations import Initialization, initialize


class MLP(Model):
    """f(x) = v . sigma(W_d ... sigma(W_1 x + b_1) ... + b_d) + c."""

    name: ClassVar[str] = "mlp"
    headline: ClassVar[tuple[str, ...]] = ("width",)
    paper: ClassVar[str] = "Barak et al. 2022, arXiv:2207.08799"
    inputs = (Signs,)
    outputs = (Margin,)

    width: int = Field(default=100, ge=1)
    """Neurons in each hidden layer."""
    depth: int = Field(default=1, ge=1)
    """Number of hidden layers."""
    activation: Activation = "relu"
    """Applied after every hidden layer; power is x^exponent."""
    exponent: int = Field(default=2, ge=1)
    """Exponent of activation=power."""
    init: Initialization = "uniform"
    """How weights are drawn; all but uniform set biases to zero."""
    sparsity: int = Field(default=2, ge=1)
    """Non-zero weights per first-layer neuron with init=sparse."""
    bias: bool = True
    """Whether hidden layers and the output have a bias."""
    recipe: Recipe = Recipe(optimizer="sgd", lr=0.1, batch_size=32, loss="hinge")

    def build(self, interface: Interface) -> nn.Module:
        """Linear layers of `width` neurons with activations between, then one output."""
        (inputs,) = interface.input.shape
        sizes = [inputs, *[self.width] * self.depth]
        layers: list[nn.Module] = []
        for fan_in, fan_out in pairwise(sizes):
            layers += [
                nn.Linear(fan_in, fan_out, self.bias),
                activation(self.activation, self.exponent),
            ]
        network = Network(nn.Sequential(*layers), nn.Linear(self.width, 1, self.bias))
        initialize(network, self.init, self.sparsity)
        return network


class Network(nn.Module):
    """Hidden layers, then a linear read-out of shape (B,)."""

    def __init__(self, hidden: nn.Sequential, readout: nn.Linear) -> None:
        """hidden: (B, n) -> (B, width); readout: (B, width) -> (B, 1)."""
        super().__init__()
        self.hidden = hidden
        self.readout = readout

    def forward(self, x: Tensor) -> Tensor:
        """x: (B, n) -> margin (B,)."""
        margin: Tensor = self.readout(self.hidden(x))
        return margin.squeeze(-1)
