"""E f(x_i) f(x_j) over a class of functions, given the inputs: what kernels know of it."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def network_covariance(x: Tensor) -> Tensor:
    """2 E ReLU(w.x_i) ReLU(w.x_j) over standard normal w: (B, K, d) -> (B, K, K).

    = |x_i| |x_j| (sin t + (pi - t) cos t) / pi at the angle t between the two: the arc-cosine
    kernel of degree 1 (Cho & Saul 2009, section 2.1).
    """
    norms = x.norm(dim=-1)
    sizes = norms[..., :, None] * norms[..., None, :]
    cosine = (x @ x.mT / sizes.clamp(min=1e-12)).clamp(-1, 1)
    angle = cosine.acos()
    return sizes * (angle.sin() + (math.pi - angle) * cosine) / math.pi


def tree_covariance(x: Tensor, depth: int) -> Tensor:
    """Chance that a random tree sends x_i and x_j to the same leaf: (B, K, d) -> (B, K, K).

    Every node on their way asks for the sign of a random coordinate, so it is a^depth, where a is
    the share of coordinates whose signs agree.
    """
    signs = torch.where(x > 0, 1.0, -1.0).to(x.dtype)
    return ((1 + signs @ signs.mT / x.shape[-1]) / 2) ** depth
