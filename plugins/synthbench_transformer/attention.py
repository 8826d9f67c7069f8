"""Causal self-attention with relative, absolute, rotary or no positions."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from synthbench import Dropout

Positions = Literal["relative", "absolute", "rotary", "none"]
STD, OUTPUT_STD = 0.02, 0.01
"""Initial weights, and those of the projections that write into the residual stream."""
ROTARY_BASE = 10_000.0


class SelfAttention(nn.Module):
    """softmax(q (k + r) / sqrt(d)) v over earlier positions, heads side by side."""

    def __init__(
        self, width: int, heads: int, length: int, positions: Positions, dropout: float
    ) -> None:
        """width: of the stream, shared by the heads; length: number of positions."""
        super().__init__()
        self.heads, self.size, self.positions = heads, width // heads, positions
        self.inputs = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        nn.init.normal_(self.inputs.weight, std=STD)
        nn.init.normal_(self.output.weight, std=OUTPUT_STD)
        relative = positions == "relative"
        # Row d belongs to distance d; shared by the heads.
        self.distance = nn.Parameter(STD * torch.randn(length, self.size)) if relative else None
        self.dropout = Dropout(dropout) if dropout else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        batch, length, width = x.shape
        split = self.inputs(x).reshape(batch, length, 3, self.heads, self.size)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        if self.positions == "rotary":
            query, key = rotate(query), rotate(key)
        scores = query @ key.transpose(-2, -1)
        if self.distance is not None:
            scores = scores + by_distance(query @ self.distance[:length].T)
        future = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
        scores = (scores / math.sqrt(self.size)).masked_fill(future, -torch.inf)
        weights = self.dropout(torch.softmax(scores, dim=-1))
        mixed = (weights @ value).transpose(1, 2).reshape(batch, length, width)
        out: Tensor = self.output(mixed)
        return out


def by_distance(scores: Tensor) -> Tensor:
    """Scores by distance, (..., T, T) with column d for distance d, to scores by key position.

    Entry (i, j) of the result is column i - j of row i where j <= i, and meaningless above
    the diagonal. A reshape instead of a gather (Huang et al. 2018, "skewing").
    """
    length = scores.shape[-1]
    flipped = nn.functional.pad(scores.flip(-1), (1, 0))
    skewed = flipped.reshape(*scores.shape[:-2], length + 1, length)
    return skewed[..., 1:, :]


def rotate(x: Tensor) -> Tensor:
    """Turn pairs of coordinates by angles that grow with position: (..., T, d) (Su et al. 2021)."""
    length, size = x.shape[-2:]
    rates = ROTARY_BASE ** (-torch.arange(0, size, 2, device=x.device) / size)
    angles = torch.arange(length, device=x.device)[:, None] * rates
    cosine, sine = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x[..., : size // 2], x[..., size // 2 :]
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)
