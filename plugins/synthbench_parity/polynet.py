"""PolyNets: products of linear forms (Barak et al. 2022, sections 3 and 4.3)."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from synthbench import Interface, Margin, Model, Recipe, Signs


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
        (inputs,) = interface.input.shape
        if not self.disjoint:
            return Product(inputs, self.degree, self.scale)
        if inputs % self.degree:
            raise ValueError(f"degree={self.degree} must divide n={inputs} with disjoint=true")
        return DisjointProduct(inputs, self.degree, self.scale)


class Product(nn.Module):
    """The product of linear forms that each see every coordinate."""

    def __init__(self, inputs: int, degree: int, scale: float) -> None:
        """inputs: n; degree: number of forms; scale: of the initial weights."""
        super().__init__()
        self.forms = nn.Linear(inputs, degree)
        bound = scale * inputs**-0.5
        nn.init.uniform_(self.forms.weight, -bound, bound)
        nn.init.uniform_(self.forms.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """(B, n) -> (B,)."""
        # Factor by factor: the gradient of `prod` divides, or sorts out zeros.
        values = self.forms(x)
        product: Tensor = values[:, 0]
        for factor in range(1, values.shape[1]):
            product = product * values[:, factor]
        return product


class DisjointProduct(nn.Module):
    """The product of one linear form for each block of coordinates."""

    def __init__(self, inputs: int, degree: int, scale: float) -> None:
        """inputs: n, a multiple of degree; scale: of the initial weights."""
        super().__init__()
        bound = scale * (inputs // degree) ** -0.5
        self.degree = degree
        self.weight = nn.Parameter(torch.empty(inputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        """(B, n) -> (B,)."""
        blocks = x.reshape(x.shape[0], self.degree, -1)
        values = torch.einsum("bji,ji->bj", blocks, self.weight.reshape(self.degree, -1))
        product: Tensor = values[:, 0]
        for factor in range(1, self.degree):
            product = product * values[:, factor]
        return product
