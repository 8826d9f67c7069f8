"""Next-symbol probabilities counted in the sequence itself."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from synthbench import one_hot

BACK_OFF = 3
"""Observations that weigh as much as what a shorter context says."""


def matches(x: Tensor, order: int) -> Tensor:
    """Which earlier positions follow the same `order` symbols: (B, T) -> (B, T, T) bool.

    Column j of row t, j <= t: the `order` symbols before position j are the last ones at t, those
    at t - order + 1, ..., t. With order 0 every position up to t.
    """
    length = x.shape[1]
    place = torch.arange(length, device=x.device)
    found = (place[None] >= order) & (place[None] <= place[:, None])
    for back in range(order):
        before = pad(x, (back + 1, 0))[:, :length]
        now = pad(x, (back, 0))[:, :length]
        # No symbol of the sequence stands before its beginning.
        found = found & (now[:, :, None] == before[:, None, :]) & (place[:, None] >= back)
    return found.expand(x.shape[0], length, length)


def n_grams(x: Tensor, symbols: int, most: int) -> list[Tensor]:
    """In-context n-gram predictions for n = 1, ..., most: probabilities, each (B, T, symbols).

    p_n(s) = (count of s after the last n - 1 symbols + 3 p_{n-1}(s)) / (all such counts + 3), with
    p_0 uniform: a Dirichlet prior around what a shorter context says (MacKay & Peto 1995).
    """
    rows = one_hot(x, symbols, torch.float32)
    chances, found = torch.full_like(rows, 1 / symbols), []
    for order in range(most):
        counts = matches(x, order).to(rows.dtype) @ rows
        chances = (counts + BACK_OFF * chances) / (counts.sum(dim=-1, keepdim=True) + BACK_OFF)
        found.append(chances)
    return found


def share_in_best_head(weights: Tensor, targets: Tensor) -> Tensor:
    """Mean attention on targets in the head where it is largest, over the second half: ().

    weights: (B, ..., L, L), with L >= T where read-out positions follow; targets: (B, T, T) bool.
    A position without targets does not count.
    """
    length, longest = targets.shape[1], weights.shape[-1]
    heads = weights.reshape(weights.shape[0], -1, longest, longest)[:, :, :length, :length]
    half = targets[:, length // 2 :]
    on_target = (heads[:, :, length // 2 :] * half[:, None]).sum(dim=(0, 2, 3))
    return (on_target / half.any(dim=2).sum().clamp(min=1)).max()
