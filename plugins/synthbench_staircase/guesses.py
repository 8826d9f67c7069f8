"""Terms of a function on a batch, and the best guess from some of them."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench_staircase.polynomial import Monomial, sign_means


def monomials_of(terms: tuple[Monomial, ...], z: Tensor) -> Tensor:
    """Values of all terms: (B, terms), -1 or +1.

    z: (B, variables), the hidden coordinates x1, x2, ... in order.
    """
    columns = [z[:, [v - 1 for v in term]].prod(dim=1) for term in terms]
    return torch.stack(columns, dim=1)


def guess(terms: tuple[Monomial, ...], monomials: Tensor, degree: int, sign: bool) -> Tensor:
    """The best guess from the terms up to a degree: (B,).

    Of h it is their sum; of its sign, the mean sign given that sum, a margin.
    """
    kept = sum(len(term) <= degree for term in terms)
    total = monomials[:, :kept].sum(dim=1)
    if not sign:
        return total
    table = torch.tensor(sign_means(terms, degree), dtype=monomials.dtype, device=monomials.device)
    return table[(total + kept).long()]
