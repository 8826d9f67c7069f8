"""Next-symbol probabilities counted in the sequence itself."""

from __future__ import annotations

import torch
from torch import Tensor

import synthbench as sb


def counted(context: Tensor, known: Tensor, asked: Tensor, smoothing: float) -> Tensor:
    """Log-probabilities of what follows a context, by how often it did so far.

    context: (B, T, C) one-hot rows, what precedes symbol t. known: (B, T, V), that symbol, seen
    by position t. asked: (B, T, C), the context at position t whose successor is to be predicted.
    smoothing: added to every count. -> (B, T, V).
    """
    pairs = (context[..., :, None] * known[..., None, :]).cumsum(dim=1)
    counts = (asked[..., :, None] * pairs).sum(dim=2) + smoothing
    return (counts / counts.sum(dim=-1, keepdim=True)).log()


def n_gram(x: Tensor, symbols: int, order: int) -> Tensor:
    """In-context n-gram prediction with add-one smoothing, n = order + 1: (B, T) -> (B, T, V)."""
    rows = sb.one_hot(x, symbols, torch.float32)
    asked = torch.zeros_like(x)
    for back in range(order):
        asked = asked * symbols + shifted(x, back)
    contexts = sb.one_hot(asked, symbols**order, torch.float32)
    before = sb.one_hot(shifted(asked, 1), symbols**order, torch.float32)
    # The first few symbols have no context of full length.
    complete = (torch.arange(x.shape[1], device=x.device) >= order).to(rows.dtype)
    return counted(before * complete[:, None], rows, contexts, smoothing=1.0)


def shifted(x: Tensor, by: int) -> Tensor:
    """(B, T) moved to the right, with 0 in front."""
    return torch.nn.functional.pad(x, (by, 0))[:, : x.shape[1]]
