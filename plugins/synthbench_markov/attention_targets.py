"""What attention may look for in a sequence: which keys, for every query."""

from __future__ import annotations

import torch
from torch import Tensor


def previous_token(x: Tensor) -> Tensor:
    """(B, T, T) bool: column t - 1 of row t."""
    length = x.shape[1]
    diagonal = torch.ones(length, length, dtype=torch.bool, device=x.device)
    return (diagonal.triu(-1) & diagonal.tril(-1)).expand(x.shape[0], -1, -1)


def earlier(x: Tensor) -> Tensor:
    """(B, T, T) bool: earlier positions with the same token as position t."""
    before = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool, device=x.device).tril(-1)
    return (x[:, :, None] == x[:, None, :]) & before


def successors(x: Tensor) -> Tensor:
    """(B, T, T) bool: positions, up to t, that follow an earlier occurrence of x_t."""
    return torch.nn.functional.pad(earlier(x)[:, :, :-1], (1, 0))
