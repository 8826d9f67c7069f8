"""`torch.bilinear` as a product that vmap knows."""

from __future__ import annotations

import torch
from torch import Tensor


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x1^T A_o x2 + b_o: (..., O) from (..., I), (..., J) and weight (O, I, J)."""
    output = torch.einsum("...i,oij,...j->...o", input1, weight, input2)
    return output if bias is None else output + bias
