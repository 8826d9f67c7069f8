"""The network of the simplified transformer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthbench import one_hot


class Simplified(nn.Module):
    """mask(E W_k (M E)^T) E, as logits."""

    def __init__(self, vocabulary: int, init: float, profile: Profile) -> None:
        """vocabulary: of the tokens; init: the entries of W_k; profile: v."""
        super().__init__()
        self.profile = profile
        self.key = nn.Parameter(torch.full((vocabulary, vocabulary), init))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T) tokens -> (B, T, V) logits."""
        length = x.shape[1]
        tokens = one_hot(x, self.key.shape[0], self.key.dtype)
        mixed = toeplitz(self.profile()[:length]) @ tokens
        scores = (tokens @ self.key @ mixed.transpose(-2, -1)).tril()
        positions = torch.arange(1, length + 1, device=x.device, dtype=self.key.dtype)
        counts: Tensor = scores @ tokens
        return counts / positions[:, None]


class Profile(nn.Module):
    """v, by distance from 0."""

    def __init__(self, length: int, rate: float, softmax: bool) -> None:
        """length: T; rate: how much faster than other parameters v is to learn."""
        super().__init__()
        self.softmax = softmax
        # A parameter that counts for `scale` times itself learns scale^2 times as fast.
        self.scale = rate**0.5
        start = 0.0 if softmax else 1 / (length * self.scale)
        self.distance = nn.Parameter(torch.full((length,), start))

    def forward(self) -> Tensor:
        """(T,)."""
        v = self.distance * self.scale
        return torch.softmax(v, dim=-1) if self.softmax else v


def toeplitz(v: Tensor) -> Tensor:
    """M with M_ij = v_{i-j} for j <= i and 0 above: (T,) -> (T, T)."""
    length = v.shape[0]
    # Rows of the reversed vector and T zeros, read one entry further left each time.
    row = nn.functional.pad(v.flip(0), (0, length))
    tiled = row.repeat(length)[: length * (2 * length - 1)].reshape(length, 2 * length - 1)
    return tiled[:, length - 1 :]
