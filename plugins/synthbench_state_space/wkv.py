"""RWKV-6's state with a decay for every channel and position, in chunks and step by step.

S_t = diag(w_t) S_{t-1} + k_t v_t^T and y_t = (S_{t-1} + diag(u) k_t v_t^T)^T r_t: a position reads
what came before it, and itself with a weight of its own (Peng et al. 2024, arXiv:2404.05892,
section 4).
"""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK = 16
"""Positions of a chunk: the decay of each pair within it is formed for every channel."""


def wkv(read: Tensor, key: Tensor, value: Tensor, log_decay: Tensor, bonus: Tensor) -> Tensor:
    """y at all positions, from an empty state: (B, heads, T, d).

    read r, key k, value v and log_decay log w: (B, heads, T, d); bonus u: (heads, d).
    """
    length = read.shape[-2]
    state = torch.zeros_like(key[..., 0, :, None] * value[..., 0, None, :])
    outputs = []
    for start in range(0, length, CHUNK):
        part = slice(start, min(start + CHUNK, length))
        taken = (each[..., part, :] for each in (read, key, value, log_decay))
        output, state = wkv_chunk(*taken, bonus, state)
        outputs.append(output)
    return torch.cat(outputs, dim=-2)


def wkv_chunk(
    read: Tensor, key: Tensor, value: Tensor, log_decay: Tensor, bonus: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """y (B, heads, T, d) of one chunk, and the state (B, heads, d, d) after it.

    Decays are exponentials of differences of their logarithms' sums, at most 1 wherever they
    count: quotients of products would overflow.
    """
    length = read.shape[-2]
    total = log_decay.cumsum(-2)
    before = total - log_decay
    unseen = torch.ones(length, length, dtype=torch.bool, device=read.device).triu()
    between = before[..., :, None, :] - total[..., None, :, :]
    between = between.masked_fill(unseen[..., None], -torch.inf).exp()
    scores = (read[..., :, None, :] * key[..., None, :, :] * between).sum(-1)
    own = (read * bonus[..., None, :] * key).sum(-1, keepdim=True)
    output = scores @ value + own * value + (read * before.exp()) @ state
    end = total[..., -1:, :]
    kept = end.exp().transpose(-2, -1) * state
    return output, kept + (key * (end - total).exp()).transpose(-2, -1) @ value


def wkv_step(
    read: Tensor, key: Tensor, value: Tensor, log_decay: Tensor, bonus: Tensor, state: Tensor
) -> tuple[Tensor, Tensor]:
    """One position: y (B, heads, d) and the state (B, heads, d, d) after it.

    read, key, value and log_decay: (B, heads, d); bonus: (heads, d).
    """
    added = key[..., None] * value[..., None, :]
    output = (read[..., None] * (state + bonus[..., None] * added)).sum(-2)
    return output, log_decay.exp()[..., None] * state + added
