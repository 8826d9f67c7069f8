"""Multi-layer perceptrons with the activations and initializations of Barak et al. 2022."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Interface, Margin, Model, Recipe, Signs
from synthbench_mlp.choices import Activation, Initialization

if TYPE_CHECKING:
    from torch import nn


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
        from synthbench_mlp.initializations import initialize
        from synthbench_mlp.network import Network

        (inputs,) = interface.input.shape
        sizes = [inputs, *[self.width] * self.depth]
        network = Network(sizes, self.activation, self.exponent, self.bias)
        initialize(network, self.init, self.sparsity)
        return network
