"""Strategies: exact predictions of the next symbol from a prefix, as log-probabilities.

Source: E. Edelman et al. 2024, section 2; add-one and add-alpha estimates are Bayes' rule
under a Dirichlet prior.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import one_hot


def uniform(x: Tensor, symbols: int) -> Tensor:
    """Every symbol alike: (B, T) -> (B, T, V)."""
    return torch.full((*x.shape, symbols), -math.log(symbols), device=x.device)


def n_gram(x: Tensor, symbols: int, order: int, alpha: float = 1.0) -> Tensor:
    """What followed the last `order` symbols earlier, each count raised by alpha.

    x: (B, T) symbols seen so far. Returns (B, T, V): at t, the prediction of symbol t + 1 from
    symbols 0..t. order 0 counts all symbols. Positions with fewer than `order` symbols behind
    them are predicted uniformly.
    """
    ones = one_hot(x, symbols).to(torch.float32)
    if order == 0:
        counts = ones.cumsum(dim=1)
    else:
        context = contexts_of(x, symbols, order)
        place = torch.arange(x.shape[1], device=x.device)
        earlier = (place[:, None] > place[None, :]) & (place[None, :] >= order - 1)
        seen = (context[:, :, None] == context[:, None, :]) & earlier
        seen = seen & (place[:, None] >= order - 1)
        # Symbol j + 1 followed context j.
        counts = seen[:, :, :-1].to(torch.float32) @ ones[:, 1:]
    shares = counts + alpha
    return torch.log(shares / shares.sum(dim=-1, keepdim=True))


def contexts_of(x: Tensor, symbols: int, order: int) -> Tensor:
    """The last `order` symbols as one number, the oldest most significant: (B, T) int64.

    Before the sequence begins, symbols count as 0.
    """
    context = x
    for back in range(1, order):
        shifted = torch.nn.functional.pad(x, (back, 0))[:, : x.shape[1]]
        context = context + shifted * symbols**back
    return context


def stay_or_move(x: Tensor) -> Tensor:
    """Bayes' rule for binary chains with one probability to stay, uniform on (0, 1).

    x: (B, T) of 0 and 1. Returns (B, T, 2): stays and moves so far, each raised by one.
    """
    stays = torch.nn.functional.pad((x[:, 1:] == x[:, :-1]).to(torch.float32), (1, 0)).cumsum(1)
    moves = torch.arange(x.shape[1], device=x.device) - stays
    to_same = torch.log((stays + 1) / (stays + moves + 2))
    to_other = torch.log((moves + 1) / (stays + moves + 2))
    same = one_hot(x, 2).to(torch.bool)
    return torch.where(same, to_same[..., None], to_other[..., None])
