"""The bits of integers, read as numbers of another type."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor


def reinterpreted(words: Tensor, dtype: torch.dtype) -> Tensor:
    """`words.view(dtype)`, also under `torch.vmap` where this version of torch cannot do that.

    words: (..., n) integers; returns (..., m) with m times the size of a number as many bytes.
    """
    if _has_rule():
        return words.view(dtype)
    found: Tensor = _reinterpret(words, dtype)
    return found


@cache
def _has_rule() -> bool:
    """Whether vmap knows `view(dtype)`; torch 2.11 does not."""
    try:
        torch.vmap(lambda word: word.view(torch.int16))(torch.zeros(1, 1, dtype=torch.int64))
    except RuntimeError:
        return False
    return True


@torch.library.custom_op("synthbench::reinterpret", mutates_args=())
def _reinterpret(words: Tensor, dtype: torch.dtype) -> Tensor:
    return words.contiguous().view(dtype).clone()


@_reinterpret.register_fake
def _shape(words: Tensor, dtype: torch.dtype) -> Tensor:
    count = words.shape[-1] * words.element_size() // dtype.itemsize
    return words.new_empty((*words.shape[:-1], count), dtype=dtype)


@_reinterpret.register_vmap
def _stacked(_: Any, in_dims: tuple[int | None, None], words: Tensor, dtype: torch.dtype) -> Any:
    axis = in_dims[0]
    assert axis is not None
    return _reinterpret(words.movedim(axis, 0), dtype), 0
