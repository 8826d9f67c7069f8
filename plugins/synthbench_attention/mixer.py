"""Softmax attention: all positions at once, or one at a time with a cache."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from synthbench import rotary


class AttentionMixer(nn.Module):
    """softmax(q k^T / sqrt(d)) v over earlier positions, heads side by side."""

    def __init__(self, width: int, heads: int, rotary: bool, window: int | None) -> None:
        """rotary: turn queries and keys; window: positions that each sees, None for all."""
        super().__init__()
        self.heads, self.rotary, self.window = heads, rotary, window
        self.inputs = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        query, key, value = self._heads(x)
        if self.rotary:
            query, key = rotary(query), rotary(key)
        length = x.shape[1]
        scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
        hidden = x.new_ones((length, length), dtype=torch.bool).triu(1)
        if self.window is not None:
            hidden = hidden | hidden.logical_not().tril(-self.window)
        # Added, not filled in: the gradient of a sum needs no mask.
        scores = scores + torch.where(hidden, -torch.inf, 0.0).to(scores.dtype)
        mixed = torch.softmax(scores, dim=-1) @ value
        out: Tensor = self.output(mixed.transpose(1, 2).flatten(2))
        return out

    def initial_state(self, batch: int) -> tuple[Tensor, Tensor]:
        """No keys and no values yet: (B, heads, 0, d) each."""
        size = self.output.in_features // self.heads
        none = self.output.weight.new_zeros(batch, self.heads, 0, size)
        return none, none

    def step(self, x: Tensor, state: tuple[Tensor, Tensor]) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """One position of `forward`: x (B, width), keys and values before it -> y, new state."""
        query, key, value = self._heads(x[:, None])
        keys, values = torch.cat([state[0], key], 2), torch.cat([state[1], value], 2)
        kept = (
            (keys, values)
            if self.window is None
            else (keys[:, :, -(self.window - 1) :], values[:, :, -(self.window - 1) :])
        )
        if self.rotary:
            # Distances alone count, so the oldest key may stand at position 0.
            query = rotary(query.expand_as(keys))[:, :, -1:]
            keys = rotary(keys)
        weights = torch.softmax(query @ keys.transpose(-2, -1) / math.sqrt(key.shape[-1]), dim=-1)
        return self.output((weights @ values).flatten(1)), kept

    def _heads(self, x: Tensor) -> tuple[Tensor, ...]:
        """Queries, keys and values: (B, T, width) -> three of (B, heads, T, d)."""
        split = self.inputs(x).unflatten(-1, (3, self.heads, -1))
        return split.permute(2, 0, 3, 1, 4).unbind()
