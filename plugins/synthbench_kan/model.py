"""Kolmogorov-Arnold networks with B-splines on a fixed grid."""

from __future__ import annotations

from math import prod
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
    Recipe,
    Signs,
    Value,
)

if TYPE_CHECKING:
    from torch import nn


class KAN(Model):
    """Every edge is a function of its own, w silu(x) + sum_g c_g B_g(x); neurons add them up.

    The B_g are B-splines on a grid that is never moved or refined, and each spline's scale is left
    to its coefficients c; outside of the grid, silu(x) alone is left.
    """

    name: ClassVar[str] = "kan"
    headline: ClassVar[tuple[str, ...]] = ("width",)
    paper: ClassVar[str] = "Liu et al. 2024, arXiv:2404.19756"
    inputs = (Signs, Reals)
    outputs = (Margin, Margins, Value, ClassLogits)

    width: int = Field(default=16, ge=1)
    """Neurons in each hidden layer."""
    depth: int = Field(default=1, ge=0)
    """Number of hidden layers; 0: a sum of functions of one input each."""
    grid: int = Field(default=5, ge=1)
    """Intervals of the grid."""
    order: int = Field(default=3, ge=1)
    """Degree of the splines between its points."""
    reach: float = Field(default=1.0, gt=0)
    """The grid goes from -reach to reach."""
    recipe: Recipe = Recipe(optimizer="adam", lr=0.01, batch_size=32)

    def check_accepts(self, interface: Interface) -> None:
        """No causal output, since every hidden neuron reads the whole input."""
        super().check_accepts(interface)
        if interface.output.causal:
            raise InterfaceError(
                f'model "{self.name}" cannot take this task: it reads the whole input at once, and '
                f"{interface.output.describe()} may not see later positions; try transformer"
            )

    def build(self, interface: Interface) -> nn.Module:
        """Layers of edges, from the input over `depth` hidden layers to the output."""
        from synthbench_kan.network import KANNetwork

        sizes = [prod(interface.input.shape), *[self.width] * self.depth]
        return KANNetwork(sizes, interface.output.shape, self.grid, self.order, self.reach)
