"""Fused attention: the products that are written out where no kernel fuses them.

What a kernel computes again in its backward pass, to save memory, does not count, and a causal
mask saves nothing: no kernel makes a model cheaper, or dearer, than another does.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

aten: Any = torch.ops.aten


def _forward(arguments: tuple[Any, ...], output: Any) -> int:
    return _scores_and_sums(*arguments[:3])


def _backward(arguments: tuple[Any, ...], output: Any) -> int:
    """Two for each product; the first argument is the gradient of the output."""
    return 2 * _scores_and_sums(*arguments[1:4])


def _scores_and_sums(query: Tensor, key: Tensor, value: Tensor) -> int:
    """query: (B, heads, L, E); key: (B, ., S, E) and value (B, ., S, V), perhaps of fewer heads."""
    batch, heads, queries, _ = query.shape
    return 2 * batch * heads * queries * key.shape[-2] * (query.shape[-1] + value.shape[-1])


KERNELS = ("flash_attention_for_cpu", "flash_attention", "efficient_attention", "cudnn_attention")

ATTENTION = {
    # Those of the others torch counts rightly.
    aten._scaled_dot_product_flash_attention_for_cpu: _forward,
    **{getattr(aten, f"_scaled_dot_product_{kernel}_backward"): _backward for kernel in KERNELS},
}
