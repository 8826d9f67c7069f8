"""Random chains: what the transition probabilities of a sequence are drawn from."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench import Stream, one_hot


def dirichlet_rows(rng: Stream, alpha: float, count: int, contexts: int, symbols: int) -> Tensor:
    """Independent rows, each Dirichlet(alpha): (count, contexts, symbols) float64."""
    return rng.dirichlet(alpha, (count, contexts, symbols))


def memoryless_rows(rng: Stream, alpha: float, count: int, symbols: int) -> Tensor:
    """All rows of a chain equal, so that the symbols are independent: (count, V, V) float64."""
    row = rng.dirichlet(alpha, (count, 1, symbols))
    return row.expand(count, symbols, symbols)


def doubly_stochastic_rows(rng: Stream, count: int, symbols: int) -> Tensor:
    """Rows and columns that sum to 1, so that every symbol is equally frequent: (count, V, V).

    A mixture of V random permutations with Dirichlet(1) weights (Birkhoff 1946). For two
    symbols one permutation is the identity and the other the swap, so that the probability
    to stay is uniform on (0, 1), as in E. Edelman et al. 2024.
    """
    weights = rng.dirichlet(1.0, (count, symbols))
    if symbols == 2:
        states = torch.arange(2, device=weights.device)
        order = (states[:, None] ^ states).expand(count, 2, 2)
    else:
        # Words tie once in 2^32 pairs; the stable sort then gives one answer everywhere.
        keys = rng.words(count * symbols * symbols).reshape(count, symbols, symbols)
        order = torch.argsort(keys, dim=-1, stable=True)
    rows = torch.zeros(count, symbols, symbols, dtype=torch.float64, device=weights.device)
    for index in range(symbols):
        matrix = one_hot(order[:, index], symbols, torch.float64)
        rows = rows + weights[:, index, None, None] * matrix
    return rows


def two_state_rows(p: float, q: float, device: torch.device) -> Tensor:
    """The binary chain with P(0 -> 1) = p and P(1 -> 0) = q: (2, 2) float64."""
    return torch.tensor([[1 - p, p], [q, 1 - q]], dtype=torch.float64, device=device)
