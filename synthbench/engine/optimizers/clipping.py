"""Clipping the gradient of every replica by its own norm."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from synthbench.engine.axis.state import State


def clipped(gradients: State, largest: float | Tensor) -> State:
    """Each replica's gradient scaled to a global norm of at most `largest`.

    gradients: (R, ...) by name; largest: of all replicas, or (R,). The rule of
    `torch.nn.utils.clip_grad_norm_`, one replica at a time. Out of place: two parameters may
    share one gradient tensor.
    """
    squares = [g.reshape(g.shape[0], -1).square().sum(1) for g in gradients.values()]
    scale = clip_scale(squares, largest)
    return {n: g * scale.reshape(-1, *[1] * (g.dim() - 1)) for n, g in gradients.items()}


def clip_scale(squares: Sequence[Tensor], largest: float | Tensor) -> Tensor:
    """What to multiply gradients by; squares: of each parameter's gradient norm, (R,) or ()."""
    norms = torch.stack(list(squares)).sum(0).sqrt()
    return torch.clamp(largest / (norms + 1e-6), max=1.0)
