"""PolyNets: products of linear forms (Barak et al. 2022, sections 3 and 4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import Interface, Margin, Model, Recipe, Signs

if TYPE_CHECKING:
    from torch import nn


class PolyNet(Model):
    """f(x) = prod over j of (w_j . x + b_j), a polynomial of the parity's own degree.

    With disjoint, w_j sees only the j-th of `degree` equal blocks of coordinates and there are
    no biases; such a network can be right only where the support has one coordinate in each
    block (the task's disjoint=true).
    """

    name: ClassVar[str] = "polynet"
    headline: ClassVar[tuple[str, ...]] = ("degree",)
    paper: ClassVar[str] = "Barak et al. 2022, arXiv:2207.08799"
    inputs = (Signs,)
    outputs = (Margin,)

    degree: int = Field(default=3, ge=1)
    """Number of factors; a parity of k coordinates needs k."""
    disjoint: bool = False
    """Whether each factor has a block of coordinates of its own."""
    scale: float = Field(default=1.0, gt=0)
    """Initial weights are uniform on +-scale/sqrt(coordinates of a factor)."""
    recipe: Recipe = Recipe(optimizer="sgd", lr=0.1, batch_size=32, loss="hinge")

    def build(self, interface: Interface) -> nn.Module:
        """Linear forms over all coordinates, or over one block each."""
        from synthbench_parity.products import DisjointProduct, Product

        (inputs,) = interface.input.shape
        if not self.disjoint:
            return Product(inputs, self.degree, self.scale)
        if inputs % self.degree:
            raise ValueError(f"degree={self.degree} must divide n={inputs} with disjoint=true")
        return DisjointProduct(inputs, self.degree, self.scale)
