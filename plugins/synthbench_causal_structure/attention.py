"""Attention along a graph: heads (B, H, T, T), parents (T - 1,) with -1 for roots."""

from __future__ import annotations

import torch
from torch import Tensor


def to_parents(heads: Tensor, parents: Tensor) -> Tensor:
    """Mean attention from places to their parents, in the best head: ()."""
    place = torch.arange(heads.shape[-1], device=heads.device)
    adjacency = (parents[:, None] == place).to(heads.dtype)
    average = heads[:, :, :-1].mean(dim=0)
    return ((average * adjacency).sum(dim=(1, 2)) / adjacency.sum()).max()


def to_answers(heads: Tensor, parents: Tensor, x: Tensor) -> Tensor:
    """Mean attention from the last place to children of its symbol, in the best head: ()."""
    child = (x.index_select(1, parents.clamp(min=0)) == x[:, -1:]) & (parents >= 0)
    on_children = (heads[:, :, -1, :-1] * child[:, None]).sum(dim=2)
    return (on_children.sum(dim=0) / child.any(dim=1).sum().clamp(min=1)).max()
