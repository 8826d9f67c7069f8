"""Which places attention should look at, and how much of it does."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from synthbench_pointers.chains import taken_up
from synthbench_pointers.windows import columns


def of_chains(x: Tensor) -> Tensor:
    """For the place of each variable, the clause that it takes up: (B, 3n) -> (B, n, 3n) bool."""
    return taken_up(x).repeat_interleave(3, dim=2)


def of_windows(x: Tensor, window: int) -> Tensor:
    """For the place of the answer, the window that is pointed at: (B, T) -> (B, 1, T) bool."""
    place = torch.arange(x.shape[1], device=x.device)
    return (columns(x, x[:, :1], window)[..., None] == place).any(dim=1, keepdim=True)


def share_in_best_head(weights: Tensor, queries: slice, targets: Tensor) -> Tensor:
    """Mean attention from queries to their targets in the head where it is largest: ().

    weights: (B, ..., L, L), with L >= T where read-out places follow. targets: (B, Q, T) bool;
    a query without any does not count.
    """
    batch, length = weights.shape[0], weights.shape[-1]
    heads = weights.reshape(batch, -1, length, length)[:, :, queries]
    known = pad(targets, (0, length - targets.shape[2]))
    on_target = (heads * known[:, None]).sum(dim=(0, 2, 3))
    return (on_target / targets.any(dim=2).sum()).max()
