"""Multi-layer perceptrons with the activations and initializations of Barak et al. 2022."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import (
    ClassLogits,
    Interface,
    InterfaceError,
    Margin,
    Margins,
    Model,
    Reals,
    RealSequence,
    Recipe,
    Signs,
    Tokens,
    Value,
)
from synthbench_mlp.choices import Activation, Initialization

if TYPE_CHECKING:
    from torch import nn


class MLP(Model):
    """f(x) = v . sigma(W_d ... sigma(W_1 x + b_1) ... + b_d) + c.

    x is the whole input as one vector: signs and reals as they are, tokens as indicators. Where a
    task has no hinge loss, the recipe's default, it is trained on the task's own.
    """

    name: ClassVar[str] = "mlp"
    headline: ClassVar[tuple[str, ...]] = ("width",)
    paper: ClassVar[str] = "Barak et al. 2022, arXiv:2207.08799"
    inputs = (Signs, Reals, Tokens, RealSequence)
    outputs = (Margin, Margins, Value, ClassLogits)

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

    def check_accepts(self, interface: Interface) -> None:
        """No causal output, since every hidden neuron reads the whole input."""
        super().check_accepts(interface)
        if interface.output.causal:
            raise InterfaceError(
                f'model "{self.name}" cannot take this task: it reads the whole input at once, and '
                f"{interface.output.describe()} may not see later positions; try transformer"
            )

    def build(self, interface: Interface) -> nn.Module:
        """Linear layers of `width` neurons with activations between, then the outputs."""
        from math import prod

        from synthbench_mlp.initializations import initialize
        from synthbench_mlp.network import Network, hidden_layers

        given, wanted = interface.input, interface.output
        symbols = given.vocabulary if isinstance(given, Tokens) else None
        sizes = [prod(given.shape) * (symbols or 1), *[self.width] * self.depth]
        layers = hidden_layers(sizes, self.activation, self.exponent, self.bias)
        network = Network(layers, self.width, wanted.shape, self.bias, symbols)
        initialize(network, self.init, self.sparsity)
        return network
