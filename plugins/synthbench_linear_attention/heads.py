"""What the mixers have in common: heads out of the stream, and heads back into it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthbench import RMSNorm


class HeadInputs(nn.Module):
    """Queries, keys and values of every head, each a linear map of the stream."""

    def __init__(self, width: int, heads: int) -> None:
        """heads: that share the width."""
        super().__init__()
        self.heads, self.size = heads, width // heads
        self.map = nn.Linear(width, 3 * width, bias=False)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """(B, T, width) -> three of (B, heads, T, d)."""
        split: Tensor = self.map(x).unflatten(-1, (3, self.heads, self.size))
        return split.permute(2, 0, 3, 1, 4).unbind()


class GatedOutput(nn.Module):
    """Each head normalized, all gated by swish(x W), then a linear map: group norm and gate.

    The norm is RMSNorm for each head, with gains that the heads share. Source: Sun et al. 2023,
    equation 8, in the form of its authors' code.
    """

    def __init__(self, width: int, heads: int) -> None:
        """heads: that share the width."""
        super().__init__()
        self.norm = RMSNorm(width // heads)
        self.gate = nn.Linear(width, width, bias=False)
        self.map = nn.Linear(width, width, bias=False)

    def forward(self, mixed: Tensor, x: Tensor) -> Tensor:
        """Heads (B, heads, T, d) and the input of the mixer (B, T, width) -> (B, T, width)."""
        joined = join(self.norm(mixed))
        out: Tensor = self.map(joined * nn.functional.silu(self.gate(x)))
        return out


def join(mixed: Tensor) -> Tensor:
    """Heads side by side: (B, heads, T, d) -> (B, T, heads d)."""
    return mixed.transpose(1, 2).flatten(2)


def empty_state(like: Tensor, batch: int, heads: int, size: int) -> Tensor:
    """A matrix of zeros for every head: (B, heads, d, d)."""
    return like.new_zeros(batch, heads, size, size)


def outer(key: Tensor, value: Tensor) -> Tensor:
    """k^T v of one position: (B, heads, 1, d) twice -> (B, heads, d, d)."""
    return key.transpose(-2, -1) @ value


def causal(length: int, like: Tensor) -> Tensor:
    """1 where j <= i, else 0: (T, T)."""
    return torch.ones((length, length), device=like.device, dtype=like.dtype).tril()
