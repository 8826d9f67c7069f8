"""Retention: all pairs of positions at once, or one position at a time."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from synthbench import rotary
from synthbench_linear_attention.heads import GatedOutput, HeadInputs, empty_state, outer


class RetentionMixer(nn.Module):
    """y_i = sum_{j <= i} g^(i-j) (q_i . k_j) v_j / sqrt(d), normalized and gated."""

    def __init__(self, width: int, heads: int, rotary: bool) -> None:
        """rotary: turn queries and keys with their positions."""
        super().__init__()
        self.rotary = rotary
        self.inputs = HeadInputs(width, heads)
        self.output = GatedOutput(width, heads)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        query, key, value = self.inputs(x)
        if self.rotary:
            query, key = rotary(query), rotary(key)
        weights = query @ key.transpose(-2, -1) / math.sqrt(self.inputs.size)
        place = torch.arange(x.shape[1], device=x.device)
        # Powers of what is hidden would overflow, and 0 times infinity is no number.
        distance = (place[:, None] - place).clamp(min=0)
        return self.output(weights * self._decay(distance, weights).tril() @ value, x)

    def initial_state(self, batch: int) -> Tensor:
        """S = 0: (B, heads, d, d)."""
        weight = self.inputs.map.weight
        return empty_state(weight, batch, self.inputs.heads, self.inputs.size)

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One position of `forward`: x (B, width) and the state before it -> y, new state.

        What was stored turns on by one position, in place of the query by all of them.
        """
        query, key, value = self.inputs(x[:, None])
        if self.rotary:
            state = turned_back(state)
        one = torch.ones((1, 1), device=x.device)
        state = self._decay(one, state) * state + outer(key, value)
        mixed = query @ state / math.sqrt(self.inputs.size)
        return self.output(mixed, x[:, None])[:, 0], state

    def _decay(self, distance: Tensor, like: Tensor) -> Tensor:
        """(1 - 2^(-5-h))^distance of each head: (T, T) -> (heads, T, T)."""
        # Half precision cannot tell such powers apart.
        dtype = torch.promote_types(like.dtype, torch.float32)
        head = torch.arange(self.inputs.heads, device=like.device, dtype=dtype)
        log_decay = torch.log1p(-torch.exp2(-5 - head))[:, None, None]
        return torch.exp(log_decay * distance).to(like.dtype)


def turned_back(state: Tensor) -> Tensor:
    """Each column of (B, heads, d, d) as a key at distance 1: turned by minus one position."""
    columns = state.transpose(-2, -1)[..., None, :]
    half = columns.shape[-1] // 2
    # To turn backwards is to turn forwards between two reflections.
    sign = columns.new_ones(2 * half)
    sign[half:] = -1
    pair = torch.cat([columns, columns * sign], dim=-2)
    return (rotary(pair)[..., 1, :] * sign).transpose(-2, -1)
