"""Taking rows out of stacked tensors, and putting stacks beside one another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch
from torch.utils._pytree import tree_map

T = TypeVar("T")


def joined(parts: Sequence[T], axis: int = 0) -> T:
    """Trees of stacked tensors as one, along the axis of the replicas."""
    if len(parts) == 1:
        return parts[0]
    whole: T = tree_map(lambda *leaves: torch.cat(leaves, axis), *parts)
    return whole


def rows_of_stack(stacked: T, rows: Sequence[int]) -> T:
    """Some rows of stacked tensors (R, ...), in the order given, as copies."""
    chosen = list(rows)

    def take(leaf: torch.Tensor) -> torch.Tensor:
        return leaf[torch.tensor(chosen, device=leaf.device)]

    found: T = tree_map(take, stacked)
    return found
