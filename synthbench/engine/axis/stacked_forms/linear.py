"""An affine map, without the multiplications by one in torch's own rule for it."""

from __future__ import annotations

from torch import Tensor


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """As `torch.nn.functional.linear`: input (..., n), weight (m, n) or (n,), bias (m,)."""
    if weight.dim() == 1:
        product = input @ weight
    else:
        # All rows in one product, whatever axes they are in.
        rows = input.reshape(-1, input.shape[-1]) @ weight.mT
        product = rows.reshape(*input.shape[:-1], weight.shape[0])
    return product if bias is None else product + bias
