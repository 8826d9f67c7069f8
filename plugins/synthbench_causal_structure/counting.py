"""What follows the last symbol, by counting in the sequence."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor
from torch.nn.functional import pad

from synthbench import one_hot


def children(x: Tensor, parents: Tensor, symbols: int) -> Tensor:
    """Children of the last symbol along a graph, by their symbol: (B, T) -> (B, symbols).

    parents: (T - 1,), of the places before the last, -1 for roots.
    """
    follows = (x.index_select(1, parents.clamp(min=0)) == x[:, -1:]) & (parents >= 0)
    rows = one_hot(x[:, :-1], symbols, torch.float32)
    return (follows[..., None] * rows).sum(dim=1)


def posterior(counts: Tensor, alpha: float) -> Tensor:
    """Mean of the Dirichlet posterior after so many draws of each symbol: (B, symbols)."""
    shares = counts + alpha
    return shares / shares.sum(dim=1, keepdim=True)


def answers(x: Tensor, parents: Tensor, symbols: int, alpha: float) -> Mapping[str, Tensor]:
    """The strategies of `CausalStructure.references`: log-probabilities (B, T, symbols)."""
    before = torch.arange(-1, x.shape[1] - 2, device=x.device)
    all_symbols = one_hot(x[:, :-1], symbols, torch.float32).sum(dim=1)
    neighbours = posterior(children(x, before, symbols), alpha)
    unigram = trusted(posterior(all_symbols, alpha), all_symbols.new_tensor(1 / symbols))
    trust = (parents == before)[1:].float().mean()
    found = {
        "trivial": torch.full_like(unigram, 1 / symbols),
        "unigram": unigram,
        "bigram": trusted(neighbours, trust),
        "optimal": posterior(children(x, parents, symbols), alpha),
    }
    return {
        name: pad(chances.log()[:, None], (0, 0, x.shape[1] - 1, 0))
        for name, chances in found.items()
    }


def trusted(chances: Tensor, share: Tensor) -> Tensor:
    """A mixture with the uniform distribution."""
    return share * chances + (1 - share) / chances.shape[1]
