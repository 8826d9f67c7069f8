"""Root mean square normalization."""

from __future__ import annotations

import torch
from torch import Tensor, nn

EPSILON = 1e-6


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + 1e-6) * gain, over the last axis, in the precision of the gain.

    Unlike `nn.RMSNorm`, the same in every precision, also where autocast rounds x. Source: Zhang
    & Sennrich 2019, arXiv:1910.07467.
    """

    def __init__(self, width: int) -> None:
        """width: of the last axis."""
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> (..., width)."""
        x = x.to(self.weight.dtype)
        scale = torch.rsqrt(x.square().mean(-1, keepdim=True) + EPSILON)
        return x * scale * self.weight
