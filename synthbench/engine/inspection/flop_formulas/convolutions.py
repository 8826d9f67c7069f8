"""Gradients of convolutions, grouped ones among them; torch's count of the forward pass is right.

Each weight is used once for every sample and place: of the output, or of the input where the
convolution is transposed. Zeros of the padding count as other inputs do.
"""

from __future__ import annotations

from math import prod
from typing import Any

import torch
from torch import Tensor

aten: Any = torch.ops.aten


def _backward(arguments: tuple[Any, ...], output: Any) -> int:
    """As often as the forward pass for each of the gradients of input and weight."""
    of_output, x, weight, _, _, _, _, transposed, *_, (of_x, of_weight, _) = arguments
    places = x if transposed else of_output
    once: int = 2 * places.shape[0] * prod(places.shape[2:]) * weight.numel()
    return once * (int(of_x) + int(of_weight))


def _time_first(arguments: tuple[Any, ...], output: Tensor) -> int:
    """`conv_tbc`: (T, B, channels), whose gradients are products of their own."""
    return 2 * prod(output.shape[:2]) * int(arguments[1].numel())


CONVOLUTIONS = {aten.convolution_backward: _backward, aten.conv_tbc: _time_first}
