"""Rotary positions."""

from __future__ import annotations

import torch
from torch import Tensor

ROTARY_BASE = 10_000.0


def rotary(x: Tensor) -> Tensor:
    """Turn pairs of coordinates by angles that grow with position: (..., T, d), d even.

    Coordinates i and d/2 + i of position t turn by t * 10000^(-2i/d), so that products of two
    positions depend on their distance alone. Source: Su et al. 2021, arXiv:2104.09864.
    """
    length, size = x.shape[-2:]
    # Half precision cannot count positions.
    dtype = torch.promote_types(x.dtype, torch.float32)
    rates = ROTARY_BASE ** (-torch.arange(0, size, 2, device=x.device, dtype=dtype) / size)
    angles = torch.arange(length, device=x.device, dtype=dtype)[:, None] * rates
    cosine, sine = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x[..., : size // 2], x[..., size // 2 :]
    return torch.cat([first * cosine - second * sine, first * sine + second * cosine], dim=-1)
