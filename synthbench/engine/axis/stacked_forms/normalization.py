"""Normalizations of weights: embeddings with `max_norm`, spectral norm and weight norm."""

from __future__ import annotations

import torch
from torch import Tensor


def embedding_renorm_(weight: Tensor, indices: Tensor, max_norm: float, norm_type: float) -> Tensor:
    """Shrink the rows of weight (V, E) that are looked up, in place, to a norm of at most max_norm.

    Source: `at::embedding_renorm_cpu_`.
    """
    norms = torch.linalg.vector_norm(weight, norm_type, dim=1)
    nobody = norms.new_zeros(norms.shape)
    used = nobody.scatter(0, indices.flatten().long(), 1.0)
    scale = torch.where((used > 0) & (norms > max_norm), max_norm / (norms + 1e-7), 1.0)
    return weight.mul_(scale.unsqueeze(1))


def normalize(
    input: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12, out: Tensor | None = None
) -> Tensor:
    """input / max(norm, eps) along dim; what is written to `out` goes there by a copy."""
    result = input / torch.linalg.vector_norm(input, p, dim, keepdim=True).clamp_min(eps)
    return result if out is None else out.copy_(result)


def weight_norm(v: Tensor, g: Tensor, dim: int = 0) -> Tensor:
    """v g / |v|, the norm over all axes but dim; over all if dim is -1."""
    return v * (g / torch.norm_except_dim(v, 2, dim))
