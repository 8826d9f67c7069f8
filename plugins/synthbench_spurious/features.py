"""Parities and staircases of signs, and what is exactly known of them.

With t_j = x_1 ... x_j, the j-th step, a staircase of degree d is sign(t_1 + ... + t_d), a tie
counting +1 as in the released code. x -> t is one to one on {-1, +1}^d, so the steps of uniform
inputs are d independent fair signs, and the staircase is their majority.
"""

from __future__ import annotations

from math import comb
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from torch import Tensor

Kind = Literal["parity", "staircase"]


def feature(kind: Kind, signs: Tensor) -> Tensor:
    """The feature's value, -1 or +1, of its coordinates in order: (B, degree) -> (B,)."""
    if kind == "parity":
        return signs.prod(dim=1)
    return majority(signs.cumprod(dim=1))


def majority(signs: Tensor) -> Tensor:
    """+1 where at least half of a row is +1, -1 elsewhere: (B, d) -> (B,)."""
    return (signs.sum(dim=1) >= 0).to(signs.dtype) * 2 - 1


def mean(kind: Kind, degree: int) -> float:
    """E[f] over uniform inputs: the chance of a tie, C(d, d/2) / 2^d, of a staircase; or 0."""
    if kind == "parity" or degree % 2:
        return 0.0
    return comb(degree, degree // 2) / 2**degree


def first_step_correlation(degree: int) -> float:
    """E[f x_1] of a staircase over uniform inputs.

    Steps are exchangeable: E[f t_1] = E|t_1 + ... + t_d| / d, since ties add nothing. That is
    C(d - 1, (d - 1) / 2) / 2^(d - 1) for odd d and C(d, d/2) / 2^d for even.
    """
    if degree % 2:
        return comb(degree - 1, degree // 2) / 2 ** (degree - 1)
    return comb(degree, degree // 2) / 2**degree
