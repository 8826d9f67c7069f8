"""Fast Fourier transforms: 5 N log2 N for N complex numbers, half of it where one side is real.

Source: the convention by which FFTW's authors report speeds (Frigo & Johnson 2005).
"""

from __future__ import annotations

from math import log2, prod
from typing import Any

import torch
from torch import Tensor

aten: Any = torch.ops.aten


def _complex(arguments: tuple[Any, ...], output: Tensor) -> int:
    return _transforms(output, arguments[1], 5.0)


def _from_real(arguments: tuple[Any, ...], output: Any) -> int:
    return _transforms(arguments[0], arguments[1], 2.5)


def _to_real(arguments: tuple[Any, ...], output: Tensor) -> int:
    return _transforms(output, arguments[1], 2.5)


def _transforms(full: Tensor, dims: list[int], factor: float) -> int:
    """full: the side of the transform that leaves nothing out; dims: those transformed."""
    size = prod(full.shape[dim] for dim in dims)
    return round(factor * full.numel() * log2(size))


FOURIER = {aten._fft_c2c: _complex, aten._fft_r2c: _from_real, aten._fft_c2r: _to_real}
