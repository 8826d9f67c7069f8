"""Looking back: the latest earlier position that matches, and what stood there."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench import one_hot


def latest(matches: Tensor) -> Tensor:
    """The latest s < t that matches t, or -1: (B, T, T) bool -> (B, T) int64."""
    length = matches.shape[-1]
    place = torch.arange(1, length + 1, dtype=torch.int32, device=matches.device)
    before = torch.ones(length, length, dtype=torch.bool, device=matches.device).tril(-1)
    return (matches & before).mul(place).amax(dim=-1).to(torch.int64) - 1


def copied(x: Tensor, place: Tensor, vocabulary: int) -> Tensor:
    """The tokens at some places as rows: x (B, T), place (B, T) -> (B, T, vocabulary)."""
    return one_hot(x.gather(1, place.clamp(0, x.shape[1] - 1)), vocabulary, torch.float32)


def same_runs(x: Tensor, offset: Tensor, most: int) -> Tensor:
    """Which positions end equal beginnings of their runs: (B, T, T) bool.

    offset: (B, T), how far into its run a position is, below `most`. s matches t where the runs
    agree from their beginnings to s and to t.
    """
    here = (x[:, :, None] == x[:, None, :]) & (offset[:, :, None] == offset[:, None, :])
    same, earlier = here, here
    for back in range(1, most):
        earlier = torch.nn.functional.pad(earlier[:, :-1, :-1], (1, 0, 1, 0))
        same = same & (earlier | (offset < back)[:, :, None])
    return same
