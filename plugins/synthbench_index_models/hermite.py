"""The orthonormal Hermite basis of functions of Gaussian variables."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import TYPE_CHECKING

from synthbench_index_models.link import Term

if TYPE_CHECKING:
    from torch import Tensor


def normalized_hermite(z: Tensor, degree: int) -> Tensor:
    """He_k(z) / sqrt(k!), of mean 0 and variance 1 for k >= 1 and a standard normal z.

    He_{k+1} = z He_k - k He_{k-1}, the probabilists' polynomials, each divided by its norm.
    """
    before, here = z.new_zeros(z.shape), z.new_ones(z.shape)
    for k in range(degree):
        before, here = here, (z * here - sqrt(k) * before) / sqrt(k + 1)
    return here


def evaluate(terms: Sequence[Term], z: Tensor) -> Tensor:
    """The sum of terms at the directions' coordinates z (B, r): (B,), zero without terms."""
    total = z.new_zeros(z.shape[:1])
    for term in terms:
        value = z.new_full(z.shape[:1], term.coefficient)
        for place, degree in enumerate(term.degrees):
            if degree:
                value = value * normalized_hermite(z[:, place], degree)
        total = total + value
    return total
