"""Networks that multiply linear forms."""

from __future__ import annotations

import torch
from torch import Tensor, nn


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
