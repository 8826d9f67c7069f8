"""Types of tensors under autocast, for functions that are not made of operations it knows."""

from __future__ import annotations

import torch
from torch import Tensor


def cast(tensor: Tensor) -> Tensor:
    """In the type that autocast asks for, as torch casts what goes into a product."""
    kind = tensor.device.type
    wanted = torch.is_autocast_enabled(kind) and tensor.dtype != torch.float64
    return tensor.to(torch.get_autocast_dtype(kind)) if wanted else tensor
