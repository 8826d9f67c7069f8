"""Perceptrons with residual connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Interface, Recipe
from synthbench_mlp.choices import Activation
from synthbench_mlp.vector_model import VectorModel

if TYPE_CHECKING:
    from torch import nn


class ResidualMLP(VectorModel):
    """f(x) = v . norm(h_d) + c with h_0 = W x + b and h_i = h_{i-1} + B_i sigma(A_i norm(h_{i-1})).

    norm is layer normalization, in front of every block (pre-norm) and of the output; A_i and B_i
    have biases. The input is read as `mlp` reads it.
    """

    name: ClassVar[str] = "residual-mlp"
    headline: ClassVar[tuple[str, ...]] = ("width", "depth")
    paper: ClassVar[str] = "He et al. 2016, arXiv:1603.05027; Xiong et al. 2020, arXiv:2002.04745"

    width: int = Field(default=100, ge=1)
    """Size of the residual stream."""
    depth: int = Field(default=2, ge=1)
    """Number of blocks."""
    expand: int = Field(default=1, ge=1)
    """Hidden units of a block as a multiple of width."""
    activation: Activation = "relu"
    """Inside the blocks; power is x^exponent."""
    exponent: int = Field(default=2, ge=1)
    """Exponent of activation=power."""
    recipe: Recipe = Recipe(optimizer="adamw", lr=1e-3, batch_size=32, loss="hinge")

    def build(self, interface: Interface) -> nn.Module:
        """A linear layer, the blocks, a normalization and the outputs."""
        from synthbench_mlp.network import Network
        from synthbench_mlp.reading import VectorReading
        from synthbench_mlp.residual import residual_stream

        reading = VectorReading(interface.input)
        hidden = self.expand * self.width
        stream = residual_stream(
            (reading.size, self.width, hidden), self.depth, self.activation, self.exponent
        )
        return Network(reading, stream, self.width, interface.output.shape, bias=True)
