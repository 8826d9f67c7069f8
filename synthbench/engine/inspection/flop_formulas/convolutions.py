"""Convolutions, grouped ones and their gradients among them.

Each weight is used once for every sample and place: of the output, or of the input where the
convolution is transposed. Zeros of the padding count as other inputs do.
"""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import Tensor

aten: Any = torch.ops.aten


def _forward(arguments: tuple[Any, ...], output: Tensor) -> int:
    x, weight, _, _, _, _, transposed, *_ = arguments
    return _once(x if transposed else output, weight)


def _backward(arguments: tuple[Any, ...], output: Any) -> int:
    """As often as the forward pass for each of the gradients of input and weight."""
    of_output, x, weight, _, _, _, _, transposed, *_, (of_x, of_weight, _) = arguments
    return _once(x if transposed else of_output, weight) * (int(of_x) + int(of_weight))


def _once(places: Tensor, weight: Tensor) -> int:
    """places: (B, channels, ...)."""
    return 2 * places.shape[0] * prod(places.shape[2:]) * weight.numel()


def _time_first(arguments: tuple[Any, ...], output: Tensor) -> int:
    """`conv_tbc`: (T, B, channels), whose gradients are products of their own."""
    return 2 * prod(output.shape[:2]) * int(arguments[1].numel())


CONVOLUTIONS = {
    **dict.fromkeys((aten.convolution, aten._convolution, aten.convolution_overrideable), _forward),
    aten.convolution_backward: _backward,
    aten.conv_tbc: _time_first,
}
