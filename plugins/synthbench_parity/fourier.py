"""The Fourier gaps of neurons, and the inputs over which a gradient is exact."""

from __future__ import annotations

import torch
from torch import Tensor


def every_input(n: int, like: Tensor) -> Tensor:
    """All sign vectors: (2^n, n), of the type and on the device of `like`."""
    numbers = torch.arange(2**n, device=like.device)
    places = torch.arange(n, device=like.device)
    return 1 - 2 * ((numbers[:, None] >> places) & 1).to(like.dtype)


def fourier_gaps(support: Tensor, sizes: Tensor) -> Tensor:
    """Smallest entry on the support minus the largest off it: (neurons, n) -> (neurons,)."""
    off = (torch.arange(sizes.shape[1], device=sizes.device)[:, None] != support).all(dim=1)
    return sizes[:, support].min(dim=1).values - (sizes * off).max(dim=1).values
