"""Sequences drawn along a graph."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench import IGNORED, Batch, Stream

SMALLEST = 1e-30
"""Transition probabilities below are raised to it in the stationary distribution, or a chain
that never leaves a symbol would divide by zero."""


def draw(rng: Stream, parents: Tensor, rows: Tensor, roots: Tensor) -> Batch:
    """One sequence for each matrix of transition probabilities, as `CausalStructure.sample` says.

    parents: (T - 1,), -1 for roots; rows: (B, S, S); roots: (B, S), what roots are drawn from.
    """
    size, symbols, _ = rows.shape
    places = parents.shape[0]
    words = rng.words(size * (places + 1)).reshape(size, places + 1)
    # The law of a root is one more row, S, which a parent of -1 asks for.
    steps = thresholds(torch.cat([rows, roots[:, None]], dim=1))
    drawn = torch.full((size, 1), symbols, device=rows.device)
    for place in range(places):
        given = drawn.index_select(1, parents[place : place + 1] + 1)
        child = choose(words[:, place], steps, given)
        drawn = torch.cat([drawn, child[:, None]], dim=1)
    last = rng.integers(symbols, (size, 1))
    answer = choose(words[:, -1], steps, last)
    x = torch.cat([drawn[:, 1:], last], dim=1)
    y = torch.cat([torch.full_like(x[:, 1:], IGNORED), answer[:, None]], dim=1)
    row = rows.gather(1, last[:, :, None].expand(-1, -1, symbols)).squeeze(1)
    return Batch(x, y, {"row": row.to(torch.float32)})


def thresholds(rows: Tensor) -> Tensor:
    """Where each symbol's share of the 32-bit words ends, less the last: (..., S - 1) int64."""
    return torch.round(rows * 2**32).to(torch.int64).cumsum(dim=-1)[..., :-1]


def choose(words: Tensor, steps: Tensor, given: Tensor) -> Tensor:
    """The symbol that a word chooses from the row of a symbol (B, 1): (B,) int64."""
    ends = steps.gather(1, given[:, :, None].expand(-1, -1, steps.shape[2])).squeeze(1)
    return (words[:, None] >= ends).sum(dim=1)


def stationary(rows: Tensor) -> Tensor:
    """Stationary distributions of chains: (B, S, S) -> (B, S).

    Elimination of one symbol after another without subtractions, hence accurate for every
    chain. Source: Grassmann, Taksar & Heyman 1985.
    """
    rest, columns = rows.clamp(min=SMALLEST), []
    for last in range(rows.shape[-1] - 1, 0, -1):
        out = rest[:, last, :last]
        columns.append(rest[:, :last, last] / out.cumsum(dim=1)[:, -1:])
        rest = rest[:, :last, :last] + columns[-1][:, :, None] * out[:, None, :]
    weights = torch.ones_like(rows[:, :1, 0])
    for column in reversed(columns):
        weights = torch.cat([weights, (weights * column).cumsum(dim=1)[:, -1:]], dim=1)
    return weights / weights.cumsum(dim=1)[:, -1:]
