"""The delta rule along a sequence: in chunks for training, and one position at a time.

S_t = a_t (I - b_t k_t k_t^T) S_{t-1} + b_t k_t v_t^T and o_t = S_t^T q_t: before a value is written
to a key, what the memory holds there is taken away. With a_t = 1 this is DeltaNet (Schlag et al.
2021, arXiv:2102.11174), otherwise Gated DeltaNet (Yang et al. 2024, arXiv:2412.06464).
"""

from __future__ import annotations

import torch
from torch import Tensor

CHUNK = 64
"""Positions of a chunk: within it all at once, from one to the next in turn."""


def delta_rule(
    query: Tensor, key: Tensor, value: Tensor, rate: Tensor, log_decay: Tensor
) -> Tensor:
    """Outputs o at all positions, from an empty memory: (..., T, d_v).

    query and key: (..., T, d); value: (..., T, d_v); rate b and log_decay log a: (..., T). In
    single precision or better, since no half precision solves triangular systems.
    """
    given, length = value.dtype, query.shape[-2]
    precise = torch.promote_types(given, torch.float32)
    query, key, value = query.to(precise), key.to(precise), value.to(precise)
    rate, log_decay = rate.to(precise), log_decay.to(precise)
    memory = torch.zeros_like(key[..., 0, :, None] * value[..., 0, None, :])
    outputs = []
    for start in range(0, length, CHUNK):
        part = slice(start, min(start + CHUNK, length))
        keyed = query[..., part, :], key[..., part, :], value[..., part, :]
        output, memory = delta_chunk(*keyed, rate[..., part], log_decay[..., part], memory)
        outputs.append(output)
    return torch.cat(outputs, dim=-2).to(given)


def delta_chunk(
    query: Tensor, key: Tensor, value: Tensor, rate: Tensor, log_decay: Tensor, memory: Tensor
) -> tuple[Tensor, Tensor]:
    """Outputs (..., T, d_v) of one chunk, and the memory (..., d, d_v) after it.

    Every S_t is a decayed S_0 plus a sum of k_i u_i^T, where u_i is what is written at i; the u_i
    solve one triangular system (the UT transform of Yang et al. 2024, arXiv:2406.06484, section
    3). Decays are differences of their logarithms, which cannot underflow before they are small.
    """
    length = query.shape[-2]
    total = log_decay.cumsum(-1)
    ahead = torch.ones(length, length, dtype=torch.bool, device=query.device).triu(1)
    between = (total[..., :, None] - total[..., None, :]).masked_fill(ahead, -torch.inf).exp()
    since_start = total.exp()[..., None]
    # Its diagonal is not read: the solver takes it for ones.
    system = rate[..., None] * between * (key @ key.transpose(-2, -1))
    wanted = rate[..., None] * (value - since_start * (key @ memory))
    written = torch.linalg.solve_triangular(system, wanted, upper=False, unitriangular=True)
    scores = between * (query @ key.transpose(-2, -1))
    output = since_start * (query @ memory) + scores @ written
    until_end = (total[..., -1:] - total).exp()[..., None]
    kept = total[..., -1, None, None].exp() * memory
    return output, kept + (until_end * key).transpose(-2, -1) @ written


def delta_step(
    query: Tensor, key: Tensor, value: Tensor, rate: Tensor, log_decay: Tensor, memory: Tensor
) -> tuple[Tensor, Tensor]:
    """One position: o (..., d_v) and the memory (..., d, d_v) after it.

    query and key: (..., d); value: (..., d_v); rate and log_decay: (...).
    """
    memory = log_decay.exp()[..., None, None] * memory
    held = (key[..., None] * memory).sum(-2)
    written = rate[..., None] * (value - held)
    memory = memory + key[..., None] * written[..., None, :]
    return (query[..., None] * memory).sum(-2), memory
