"""The real Fourier transform on a cyclic group, and how sparse a spectrum is."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor


def waves(like: Tensor) -> Tensor:
    """Orthonormal cosines and sines over the m entries of a tensor's first axis.

    (m // 2, 2, m): of the frequencies 1, ..., m // 2. For even m the last one has no sine. With the
    constant 1 / sqrt(m) they are a basis.
    """
    m = like.shape[0]
    k, i = (torch.arange(n, device=like.device) for n in (m // 2 + 1, m))
    # Whole turns are taken off as integers, so that large products lose no digits.
    angles = (2 * math.pi / m) * (k[1:, None] * i % m).to(torch.float64)
    both = torch.stack([angles.cos(), angles.sin()], dim=1) * math.sqrt(2 / m)
    if m % 2 == 0:
        both[-1, 0] /= math.sqrt(2)
        both[-1, 1] = 0
    return both.to(like.dtype)


def components(values: Tensor) -> Tensor:
    """Fourier components along the first axis: (m, n) -> (m // 2, 2, n)."""
    return torch.einsum("kwi,in->kwn", waves(values), values)


def power(values: Tensor) -> Tensor:
    """Squared components of each frequency, summed over columns: (m, n) -> (m // 2,)."""
    return components(values).square().sum(dim=(1, 2))


def shares(sizes: Tensor) -> Tensor:
    """Each of (m,) sizes over their sum; 0 where all are."""
    return sizes / sizes.sum().clamp(min=torch.finfo(sizes.dtype).tiny)


def top_share(sizes: Tensor, count: int) -> Tensor:
    """The share of the `count` largest of (m,) sizes, or of all where they are fewer."""
    return shares(sizes).topk(min(count, sizes.shape[0])).values.sum()


def gini(sizes: Tensor) -> Tensor:
    """Gini coefficient of (m,) sizes: 0 where all are equal, 1 - 1/m where one is alone.

    Source: Hurley & Rickard 2009, equation for sorted coefficients.
    """
    m = sizes.shape[0]
    ranks = torch.arange(1, m + 1, device=sizes.device, dtype=sizes.dtype)
    return (shares(sizes).sort().values * (2 * ranks - m - 1)).sum() / m
