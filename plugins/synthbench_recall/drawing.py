"""Random choices without replacement, for many sequences at once."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench import Stream


def distinct(rng: Stream, high: int, count: int, size: int) -> Tensor:
    """`count` different integers of 0..high-1 in random order: (size, count) int64.

    Takes `count` rounds and not a sort of `high` keys, since vocabularies are large.
    Source: Floyd's algorithm (Bentley & Floyd 1987), then a permutation.
    """
    draws = rng.open_uniform(size * count).reshape(count, size)
    chosen = torch.zeros(size, 0, dtype=torch.int64, device=rng.device)
    for draw, last in zip(draws.unbind(0), range(high - count, high), strict=True):
        # A product of a 52-bit uniform: no integer is likelier by more than 2^-52 high.
        wanted = (draw * (last + 1)).to(torch.int64)
        taken = (chosen == wanted[:, None]).any(dim=1)
        chosen = torch.cat([chosen, torch.where(taken, last, wanted)[:, None]], dim=1)
    return chosen.gather(1, rng.permutation(count, (size,)))


def by_weight(rng: Stream, weights: list[float], count: int, size: int) -> Tensor:
    """`count` different places, one after the other, each with a chance as its weight.

    Returns (size, count) int64, in the order of drawing: the law of numpy's `choice` with `p`
    and `replace=False`. The places whose exponential clocks of these rates ring first are drawn
    so (Efraimidis & Spirakis 2006).
    """
    rates = torch.tensor(weights, dtype=torch.float64, device=rng.device)
    rings = rng.exponential((size, len(weights))).to(torch.float64) / rates
    return rings.argsort(dim=1, stable=True)[:, :count]
