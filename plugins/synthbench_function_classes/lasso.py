"""The lasso on every prefix of a sequence of examples."""

from __future__ import annotations

import torch
from torch import Tensor

ITERATIONS = 200
RELAXATION = 1.6


def lasso(x: Tensor, y: Tensor, penalty: float) -> Tensor:
    """w.x_i for the w that minimizes |y - X w|^2 / (2 k) + penalty |w|_1 over k = i - 1 examples.

    x: (B, K, d); y: (B, K) -> (B, K). By the alternating direction method of multipliers (Boyd et
    al. 2011, section 6.4), a fixed number of iterations from 0.
    """
    seen = torch.arange(y.shape[1], dtype=y.dtype, device=y.device).clamp(min=1)[:, None]
    moments = _before(x * y[..., None]) / seen
    gram = _before(x[..., :, None] * x[..., None, :]) / seen[..., None]
    # A step as large as the penalty moves the threshold to 1, the size of a coordinate.
    identity = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
    inverse = torch.linalg.inv(gram + penalty * identity)
    sparse = dual = torch.zeros_like(moments)
    for _ in range(ITERATIONS):
        right = moments + penalty * (sparse - dual)
        dense = (inverse @ right[..., None]).squeeze(-1)
        moved = RELAXATION * dense + (1 - RELAXATION) * sparse + dual
        sparse = moved.sign() * (moved.abs() - 1).clamp(min=0)
        dual = moved - sparse
    return (sparse * x).sum(dim=-1)


def _before(terms: Tensor) -> Tensor:
    """Sums over the examples before each: (B, K, ...) -> (B, K, ...)."""
    return terms.cumsum(dim=1) - terms
