"""Rows of a stack that lie in memory as tensors of their own would.

The last bits of a matrix product depend on where its operands begin, so a row must not begin
at a place that depends on its number.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

BYTES = 64
"""Where torch lets tensors begin on a CPU."""


def aligned_stack(tensors: Sequence[Tensor]) -> Tensor:
    """(R, ...) as `torch.stack`, each row contiguous and at a multiple of 64 bytes."""
    first = tensors[0]
    stack = aligned_empty(len(tensors), first)
    for row, tensor in zip(stack, tensors, strict=True):
        row.copy_(tensor)
    return stack


def aligned_empty(rows: int, like: Tensor) -> Tensor:
    """An uninitialized stack of tensors like the one given."""
    per_line = max(BYTES // like.element_size(), 1)
    length = -(-max(like.numel(), 1) // per_line) * per_line
    strides = torch.empty(like.shape, device="meta").stride()
    return like.new_empty(rows * length).as_strided((rows, *like.shape), (length, *strides))


def aligned_row(row: Tensor) -> Tensor:
    """A row as it is if it lies as a tensor of its own would, else a copy of it."""
    if row.device.type != "cpu" or (row.is_contiguous() and row.data_ptr() % BYTES == 0):
        return row
    return row.clone(memory_format=torch.contiguous_format)
