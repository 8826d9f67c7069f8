"""Self-attention, causal or not, with relative, absolute, rotary or no positions."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from synthbench import Dropout, rotary
from synthbench_transformer.trunk_shape import TrunkShape

STD, OUTPUT_STD = 0.02, 0.01
"""Initial weights, and those of the projections that write into the residual stream."""


class SelfAttention(nn.Module):
    """softmax(q (k + r) / sqrt(d)) v over positions, heads side by side."""

    def __init__(self, shape: TrunkShape, length: int) -> None:
        """shape: of the layers; length: number of positions of the longest sequence."""
        super().__init__()
        width, heads, positions, dropout = shape.width, shape.heads, shape.positions, shape.dropout
        self.heads, self.size, self.positions = heads, width // heads, positions
        self.inputs = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        nn.init.normal_(self.inputs.weight, std=STD)
        nn.init.normal_(self.output.weight, std=OUTPUT_STD)
        relative = positions == "relative"
        self.masked = shape.masked
        # Row d belongs to distance d, without a mask d - length + 1; shared by the heads.
        rows = length if shape.masked else 2 * length - 1
        self.distance = nn.Parameter(STD * torch.randn(rows, self.size)) if relative else None
        self.dropout = Dropout(dropout) if dropout else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        batch, length, width = x.shape
        split = self.inputs(x).reshape(batch, length, 3, self.heads, self.size)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        # Scaled before the products: queries are smaller than scores.
        query = query / math.sqrt(self.size)
        if self.positions == "rotary":
            query, key = rotary(query), rotary(key)
        scores = query @ key.transpose(-2, -1)
        if self.distance is not None:
            by_distance = scores_by_distance if self.masked else scores_by_offset
            scores += by_distance(query, self.distance)
        if self.masked:
            # Added, not filled in: the gradient of a sum needs no mask.
            future = torch.full((length, length), -torch.inf, device=x.device, dtype=x.dtype)
            scores += future.triu(1)
        weights = self.dropout(torch.softmax(scores, dim=-1))
        mixed = (weights @ value).transpose(1, 2).reshape(batch, length, width)
        out: Tensor = self.output(mixed)
        return out


class Norm(nn.LayerNorm):
    """Layer normalization in the precision of its gain, also where autocast rounds its input."""

    def forward(self, x: Tensor) -> Tensor:
        """(..., width) -> (..., width)."""
        return super().forward(x.to(self.weight.dtype))


def scores_by_distance(query: Tensor, distance: Tensor) -> Tensor:
    """q_i . r_{i-j} for every query i and key j: (..., T, d) and (>= T, d) -> (..., T, T).

    Row d of `distance` belongs to distance d; entries with j > i are meaningless. The product
    with the rows in reversed order has i - j along its columns, and reading it T columns at a
    time instead of T + 1 shifts every row by one more: a view instead of a gather ("skewing",
    Huang et al. 2018).
    """
    length, size = query.shape[-2:]
    rows = nn.functional.pad(distance[:length].flip(0), (0, 0, 1, 0))
    products = query.reshape(-1, size) @ rows.T
    return products.reshape(*query.shape[:-2], length + 1, length)[..., 1:, :]


def scores_by_offset(query: Tensor, offset: Tensor) -> Tensor:
    """q_i . r_{i-j} for all queries i and keys j: (..., T, d) and (2L - 1, d) -> (..., T, T).

    Row L - 1 + d of `offset` belongs to distance d from -(L - 1) to L - 1, for T <= L. Read as
    `scores_by_distance` does: the rows in reversed order and one column more make rows of 2 T,
    each of which begins one product further left when they are read 2 T - 1 at a time.
    """
    length, size = query.shape[-2:]
    longest = (offset.shape[0] + 1) // 2
    near = offset[longest - length : longest + length - 1].flip(0)
    products = query.reshape(-1, size) @ nn.functional.pad(near, (0, 0, 0, 1)).T
    flat = products.reshape(*query.shape[:-2], 2 * length * length)
    shifted = flat[..., length - 1 : length - 1 + length * (2 * length - 1)]
    return shifted.reshape(*query.shape[:-2], length, 2 * length - 1)[..., :length]
