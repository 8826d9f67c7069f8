"""Tokens as rows of a unit matrix."""

from __future__ import annotations

import torch
from torch import Tensor


def one_hot(tokens: Tensor, vocabulary: int, dtype: torch.dtype) -> Tensor:
    """(B, T) -> (B, T, V); by comparison, since torch's own cannot be traced under vmap."""
    symbols = torch.arange(vocabulary, device=tokens.device)
    return (tokens[..., None] == symbols).to(dtype)
