"""Walking many chains at once: exact choices, the stationary start, no loop over time.

Everything up to the choice of a symbol is IEEE basic arithmetic in a fixed order, and the
choice itself compares integers, so that every device draws the same sequences to the bit.
"""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench_markov.packed_maps import PackedMaps, composed, path

RESOLUTION = 2**32
SMALLEST = 1e-30
"""Transition probabilities below are raised to it in the stationary distribution, or a chain
that never leaves a symbol would divide by zero."""


def thresholds(rows: Tensor) -> Tensor:
    """Cumulative probabilities as integers: (..., V) float64 -> (..., V - 1) int64.

    A word u, uniform on 0..2^32 - 1, chooses the number of thresholds at or below it.
    """
    total = rows[..., 0]
    cumulative = [total]
    for index in range(1, rows.shape[-1] - 1):
        total = total + rows[..., index]
        cumulative.append(total)
    return torch.floor(torch.stack(cumulative, dim=-1) * RESOLUTION).to(torch.int64)


def choose(words: Tensor, steps: Tensor) -> Tensor:
    """The symbol each word chooses: words (...), thresholds (..., V - 1) -> (...) uint8."""
    chosen = (words >= steps[..., 0]).to(torch.uint8)
    for index in range(1, steps.shape[-1]):
        chosen = chosen + (words >= steps[..., index])
    return chosen


def stationary(rows: Tensor) -> Tensor:
    """Stationary distributions of chains: (..., V, V) float64 rows -> (..., V) float64.

    Left eigenvector by elimination without subtractions, hence accurate to rounding for any
    chain. Source: Grassmann, Taksar & Heyman 1985.
    """
    size = rows.shape[-1]
    rest, columns = torch.clamp(rows, min=SMALLEST), []
    for last in range(size - 1, 0, -1):
        out = rest[..., last, :last]
        total = out[..., 0]
        for index in range(1, last):
            total = total + out[..., index]
        column = rest[..., :last, last] / total[..., None]
        columns.append(column)
        rest = rest[..., :last, :last] + column[..., :, None] * out[..., None, :]
    weights = [torch.ones_like(rows[..., 0, 0])]
    for column in reversed(columns):
        weight = weights[0] * column[..., 0]
        for index in range(1, len(weights)):
            weight = weight + weights[index] * column[..., index]
        weights.append(weight)
    total = weights[0]
    for weight in weights[1:]:
        total = total + weight
    return torch.stack(weights, dim=-1) / total[..., None]


def follow(words: Tensor, steps: Tensor, start: Tensor, skipped: int = 0) -> Tensor:
    """States after each step but the first few, without a loop over time.

    words: (B, L) random words; steps: (B, C, V - 1) thresholds of every context, C <= 16;
    start: (B,) contexts. Returns (B, L - skipped) contexts, as bytes where C <= 4. A word is a map
    from contexts to contexts; composing neighbours takes log2(L) operations instead of L.
    """
    symbols = steps.shape[-1] + 1
    maps = PackedMaps.pack(
        [
            choose(words, steps[:, context, None]) + context * symbols % steps.shape[-2]
            for context in range(steps.shape[-2])
        ]
    )
    if skipped:
        start = composed(maps[:skipped]).images(start)[0]
    return path(maps[skipped:], start).mT.contiguous()


def step_by_step(words: Tensor, steps: Tensor, start: Tensor, skipped: int = 0) -> Tensor:
    """The same states as `follow`, one step at a time: for any number of contexts; int64."""
    contexts, symbols = steps.shape[-2], steps.shape[-1] + 1
    state, states = start, []
    for index in range(words.shape[1]):
        row = torch.gather(steps, 1, state[:, None, None].expand(-1, 1, symbols - 1))[:, 0]
        state = (state * symbols + choose(words[:, index], row)) % contexts
        states.append(state)
    return torch.stack(states[skipped:], dim=1)
