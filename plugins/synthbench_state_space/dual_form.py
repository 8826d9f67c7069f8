"""A state space with one decay for each head and position, and its dual form.

h_t = a_t h_{t-1} + d_t b_t x_t^T and y_t = h_t^T c_t, unrolled: y_t = sum over i <= t of
(c_t . b_i) (a_{i+1} ... a_t) d_i x_i, a masked product as in attention (state space duality, Dao
& Gu 2024, arXiv:2405.21060, section 3).
"""

from __future__ import annotations

import torch
from torch import Tensor


def dual_form(
    read: Tensor, write: Tensor, x: Tensor, time_step: Tensor, log_decay: Tensor
) -> Tensor:
    """y at all positions, from an empty state: (B, T, heads, P).

    read c and write b: (B, T, N), shared by the heads; x: (B, T, heads, P); time_step d and
    log_decay log a: (B, T, heads). All positions at once, as wide as attention; decays between
    two positions are exponentials of differences, at most 1 wherever they count.
    """
    length = x.shape[1]
    total = log_decay.cumsum(1).transpose(1, 2)
    ahead = torch.ones(length, length, dtype=torch.bool, device=x.device).triu(1)
    between = (total[..., :, None] - total[..., None, :]).masked_fill(ahead, -torch.inf).exp()
    weights = between * (read @ write.transpose(-2, -1))[:, None]
    return (weights @ (time_step[..., None] * x).transpose(1, 2)).transpose(1, 2)


def state_space_step(
    read: Tensor, write: Tensor, x: Tensor, time_step: Tensor, log_decay: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """One position: y (B, heads, P) and the state h (B, heads, N, P) after it.

    read and write: (B, N); x: (B, heads, P); time_step and log_decay: (B, heads).
    """
    added = write[:, None, :, None] * (time_step[..., None] * x)[:, :, None, :]
    state = log_decay.exp()[..., None, None] * state + added
    return (read[:, None, :, None] * state).sum(2), state
