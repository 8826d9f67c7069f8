"""Gated linear attention: chunks of positions at once, or one position at a time."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import logsigmoid, pad

from synthbench_linear_attention.heads import (
    GatedOutput,
    HeadInputs,
    causal,
    empty_state,
    outer,
)

CHUNK = 16
"""Positions whose pairs are computed at once."""
TEMPERATURE = 16
"""Decays are the 16th root of a sigmoid: they begin close to 1."""
STRONGEST = -5.0
"""Least logarithm of a decay: over a chunk e^-80, whose inverse is still a single precision."""


class GatedLinearAttentionMixer(nn.Module):
    """y_t = q_t S_t / sqrt(d) with S_t = diag(a_t) S_{t-1} + k_t^T v_t, normalized and gated."""

    def __init__(self, width: int, heads: int, rank: int) -> None:
        """rank: of the map from the stream to the decays."""
        super().__init__()
        self.inputs = HeadInputs(width, heads)
        self.decay = nn.Sequential(nn.Linear(width, rank, bias=False), nn.Linear(rank, width))
        self.output = GatedOutput(width, heads)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        query, key, value = self.inputs(x)
        mixed = chunked(query / math.sqrt(self.inputs.size), key, value, self._log_decay(x))
        return self.output(mixed, x)

    def initial_state(self, batch: int) -> Tensor:
        """S = 0: (B, heads, d, d)."""
        weight = self.inputs.map.weight
        return empty_state(weight, batch, self.inputs.heads, self.inputs.size)

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One position of `forward`: x (B, width) and the state before it -> y, new state."""
        query, key, value = self.inputs(x[:, None])
        decay = torch.exp(self._log_decay(x[:, None])).transpose(-2, -1)
        state = decay * state + outer(key, value)
        mixed = query / math.sqrt(self.inputs.size) @ state
        return self.output(mixed, x[:, None])[:, 0], state

    def _log_decay(self, x: Tensor) -> Tensor:
        """log a_t of every key coordinate: (B, T, width) -> (B, heads, T, d), all <= 0."""
        # In the precision of the weights, also where autocast rounds: sums of many follow.
        logits = self.decay(x).to(self.inputs.map.weight.dtype)
        logits = logits.unflatten(-1, (self.inputs.heads, self.inputs.size))
        return (logsigmoid(logits) / TEMPERATURE).clamp(min=STRONGEST).transpose(1, 2)


def chunked(query: Tensor, key: Tensor, value: Tensor, log_decay: Tensor) -> Tensor:
    """q_t S_t for all t, S_t = diag(a_t) S_{t-1} + k_t^T v_t: (B, heads, T, d) four times.

    log_decay: log a_t, from -5 to 0. Inside a chunk, with c_t the sum of log a from its start,
    q_i . exp(c_i - c_j) k_j is a product of exp(c_i) q_i and exp(-c_j) k_j; between chunks, S is
    carried. Source: Yang et al. 2023, section 4.
    """
    length = query.shape[2]
    # Positions of zeros behind the end change nothing before it.
    behind = -length % CHUNK
    pieces = [
        pad(each, (0, 0, 0, behind)).unflatten(2, (-1, CHUNK))
        for each in (query, key, value, log_decay)
    ]
    query, key, value, log_decay = pieces
    passed = log_decay.cumsum(-2)
    end = passed[..., -1:, :]
    query = query * passed.exp()
    weights = (query @ (key * (-passed).exp()).transpose(-2, -1)) * causal(CHUNK, query)
    inside = weights @ value
    added = (key * (end - passed).exp()).transpose(-2, -1) @ value
    kept = end.exp().transpose(-2, -1)
    mixed, state = [], None
    for n in range(query.shape[2]):
        y = inside[:, :, n]
        if state is None:
            state = added[:, :, n]
        else:
            y = y + query[:, :, n] @ state
            state = kept[:, :, n] * state + added[:, :, n]
        mixed.append(y)
    return torch.cat(mixed, dim=2)[:, :, :length]
