"""Multi-layer perceptrons with the activations and initializations of Barak et al. 2022."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Interface, Recipe
from synthbench_mlp.choices import Activation, Initialization
from synthbench_mlp.vector_model import VectorModel

if TYPE_CHECKING:
    from torch import nn


class MLP(VectorModel):
    """f(x) = v . sigma(W_d ... sigma(W_1 x + b_1) ... + b_d) + c.

    x is the whole input as one vector: signs and reals as they are, tokens as indicators. Where a
    task has no hinge loss, the recipe's default, it is trained on the task's own.
    """

    name: ClassVar[str] = "mlp"
    headline: ClassVar[tuple[str, ...]] = ("width",)
    paper: ClassVar[str] = "Barak et al. 2022, arXiv:2207.08799"

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
        """Linear layers of `width` neurons with activations between, then the outputs."""
        from synthbench_mlp.initializations import initialize
        from synthbench_mlp.network import Network, hidden_layers
        from synthbench_mlp.reading import VectorReading

        reading = VectorReading(interface.input)
        sizes = [reading.size, *[self.width] * self.depth]
        layers = hidden_layers(sizes, self.activation, self.exponent, self.bias)
        network = Network(reading, layers, self.width, interface.output.shape, self.bias)
        initialize(network, self.init, self.sparsity)
        return network
