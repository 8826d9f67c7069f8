"""Ways through full binary trees, and what was seen at their ends."""

from __future__ import annotations

import torch
from torch import Tensor


def leaf_of(x: Tensor, coordinates: Tensor, depth: int) -> Tensor:
    """Leaf of every input: x (B, K, d), coordinates (B, 2^depth - 1) -> (B, K) int64.

    Node i has children 2 i + 1 and 2 i + 2, the latter where the coordinate is positive.
    """
    node = torch.zeros(x.shape[:2], dtype=torch.int64, device=x.device)
    for _ in range(depth):
        asked = coordinates.gather(1, node)
        positive = x.gather(2, asked[..., None]).squeeze(-1) > 0
        node = 2 * node + 1 + positive.to(torch.int64)
    return node - (2**depth - 1)


def mean_of_leaf(leaf: Tensor, y: Tensor, noise: float) -> Tensor:
    """Posterior mean of what is in the leaf of x_i: sum / (n + noise) over earlier visits.

    leaf, y: (B, K) -> (B, K); 0 at the first visit.
    """
    visits = (leaf[:, :, None] == leaf[:, None, :]).to(y.dtype).tril(-1)
    total, count = (visits @ y[..., None]).squeeze(-1), visits.sum(dim=-1)
    return torch.where(count > 0, total / (count + noise).clamp(min=1e-12), 0.0)
