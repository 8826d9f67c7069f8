"""Comparing trees of tensors."""

from __future__ import annotations

from typing import Any, TypeVar, cast

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves, tree_map

from synthbench.contracts.batch import Batch

T = TypeVar("T")


def same_bits(first: Any, second: Any) -> bool:
    """Whether two trees hold equal tensors of equal types; NaN equals NaN."""
    left, right = tree_leaves(first), tree_leaves(second)
    return len(left) == len(right) and all(
        a.dtype == b.dtype and a.shape == b.shape and equal_values(a, b)
        for a, b in zip(left, right, strict=True)
    )


def alike(first: Any, second: Any) -> bool:
    """Whether two trees agree: whole numbers to the bit, other floating-point ones to rounding.

    Tokens, signs and booleans decide something; a real value that is computed does not.
    """
    left, right = tree_leaves(first), tree_leaves(second)
    return len(left) == len(right) and all(
        a.dtype == b.dtype and a.shape == b.shape and (equal_values(a, b) or _rounded(a, b))
        for a, b in zip(left, right, strict=True)
    )


def _rounded(first: Tensor, second: Tensor) -> bool:
    return first.is_floating_point() and not _is_whole(first) and close(first, second)


def _is_whole(tensor: Tensor) -> bool:
    return bool((tensor == tensor.round()).all())


def equal_values(first: Tensor, second: Tensor) -> bool:
    """Whether two tensors of one shape hold the same numbers; NaN equals NaN."""
    if first.is_floating_point():
        return bool(torch.all((first == second) | (first.isnan() & second.isnan())))
    return torch.equal(first, second)


def close(first: Any, second: Any, tolerance: float = 1e-4) -> bool:
    """Whether two trees agree to rounding, relative to the size of their tensors."""
    left, right = tree_leaves(first), tree_leaves(second)
    return len(left) == len(right) and all(
        a.shape == b.shape and _close(a.double(), b.double(), tolerance)
        for a, b in zip(left, right, strict=True)
    )


def _close(first: Tensor, second: Tensor, tolerance: float) -> bool:
    finite = second[second.isfinite()]
    size = float(finite.abs().max()) if finite.numel() else 0.0
    return torch.allclose(
        first, second, rtol=tolerance, atol=tolerance * max(size, 1e-3), equal_nan=True
    )


def copied(tree: T) -> T:
    """The tree with copies of its tensors."""
    return cast(T, tree_map(lambda leaf: leaf.detach().clone(), tree))


def replica(tree: T, index: int) -> T:
    """One replica of stacked tensors."""
    return cast(T, tree_map(lambda leaf: leaf[index], tree))


def rows(batch: Batch, start: int, stop: int) -> Batch:
    """Examples start, ..., stop - 1 of a batch."""
    return Batch(*tree_map(lambda leaf: leaf[start:stop], batch))
