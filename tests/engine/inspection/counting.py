"""Counting the FLOPs of a function of tensors, with or without the gradient of the first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from synthbench.engine.inspection.flops import count_flops

Shape = tuple[int, ...]


def drawn(shapes: Sequence[Shape], dtype: torch.dtype = torch.float32) -> list[Tensor]:
    return [torch.randn(shape, dtype=dtype) for shape in shapes]


def forward(function: Callable[..., Any], tensors: Sequence[Tensor]) -> int:
    with torch.no_grad():
        return count_flops(lambda: function(*tensors))


def trained(function: Callable[..., Any], tensors: Sequence[Tensor], first: bool = True) -> int:
    """Forward and backward; first: whether the first tensor, the data, needs a gradient."""
    for index, tensor in enumerate(tensors):
        tensor.requires_grad_(first or index > 0)
    return count_flops(lambda: loss(function(*tensors)).backward())


def trained_module(module: nn.Module, x: Tensor, inner: bool = True) -> int:
    """Forward and backward of a module; inner: whether it is behind another one."""
    x = x.detach().requires_grad_(inner)
    return count_flops(lambda: loss(module(x)).backward())


def loss(output: Any) -> Tensor:
    first = output[0] if isinstance(output, tuple) else output
    first = first.data if isinstance(first, nn.utils.rnn.PackedSequence) else first
    return first.abs().square().sum()
