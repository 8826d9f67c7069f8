"""The Fourier gaps of neurons, and the inputs over which a gradient is exact."""

from __future__ import annotations

import torch
from torch import Tensor

ROUNDING = 1e-4
"""Relative difference up to which two entries of a gradient are one number."""


def every_input(n: int, like: Tensor) -> Tensor:
    """All sign vectors: (2^n, n), of the type and on the device of `like`."""
    numbers = torch.arange(2**n, device=like.device)
    places = torch.arange(n, device=like.device)
    return 1 - 2 * ((numbers[:, None] >> places) & 1).to(like.dtype)


def fourier_gaps(support: Tensor, sizes: Tensor) -> Tensor:
    """Smallest entry on the support minus the largest off it: (neurons, n) -> (neurons,)."""
    off = (torch.arange(sizes.shape[1], device=sizes.device)[:, None] != support).all(dim=1)
    return sizes[:, support].min(dim=1).values - (sizes * off).max(dim=1).values


def found_by_size(support: Tensor, sizes: Tensor) -> Tensor:
    """Share of the support among its k largest entries: (neurons, n) -> (neurons,).

    An entry is among them if no more than k are as large, up to rounding: over a whole cube many
    are equal, and rounding would choose between them.
    """
    as_large = (sizes[:, None, :] >= (1 - ROUNDING) * sizes[:, support, None]).sum(dim=2)
    return (as_large <= support.shape[0]).to(sizes.dtype).mean(dim=1)
