"""Digits behind a pointer, and the windows among them."""

from __future__ import annotations

from itertools import islice, permutations

import torch
from torch import Tensor

from synthbench import Stream, one_hot
from synthbench_pointers.digits import BASE


def draw(rng: Stream, size: int, places: int) -> Tensor:
    """A pointer and uniform digits: (size, 1 + places)."""
    pointer = rng.integers(places, (size, 1))
    return torch.cat([pointer, rng.integers(BASE, (size, places))], dim=1)


def columns(x: Tensor, pointer: Tensor, window: int) -> Tensor:
    """Columns of x that the window at `pointer` (B, 1) covers: (B, window)."""
    return 1 + (pointer + torch.arange(window, device=x.device)) % (x.shape[1] - 1)


def sums(x: Tensor, pointer: Tensor, window: int) -> Tensor:
    """The sum mod 10 of the window at `pointer` (B, 1): (B,)."""
    return x.gather(1, columns(x, pointer, window)).sum(dim=1) % BASE


def sum_counts(x: Tensor, window: int) -> Tensor:
    """How many of all windows have each sum: (B, 10)."""
    digits = x[:, 1:]
    totals = sum(digits.roll(-by, dims=1) for by in range(window)) % BASE
    return one_hot(totals, BASE, torch.float32).sum(dim=1)


def held_out_rows(window: int, count: int, device: torch.device) -> Tensor:
    """The first permutations of 0, ..., window - 1 in lexicographic order: (count, window)."""
    rows = list(islice(permutations(range(window)), count))
    return torch.tensor(rows, device=device)


def without(x: Tensor, window: int, count: int) -> Tensor:
    """All digits raised by one where the window holds one of the first permutations.

    What is raised holds the digit `window`, so it is none of them.
    """
    rows = held_out_rows(window, count, x.device)
    seen = x.gather(1, columns(x, x[:, :1], window))
    held = (seen[:, None] == rows).all(dim=2).any(dim=1)
    raised = torch.cat([x[:, :1], (x[:, 1:] + 1) % BASE], dim=1)
    return torch.where(held[:, None], raised, x)


def planted(rng: Stream, x: Tensor, window: int, count: int) -> Tensor:
    """One of the first permutations, at random, in the window of each row."""
    rows = held_out_rows(window, count, x.device)
    chosen = rows[rng.integers(count, (x.shape[0],))]
    return x.scatter(1, columns(x, x[:, :1], window), chosen)
