"""The simplified transformer of E. Edelman et al. 2024 (section 4)."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn

from synthbench import Interface, Model, Recipe, TokenLogits, Tokens
from synthbench_transformer.one_hot import one_hot


class SimplifiedTransformer(Model):
    """f(E) = mask(E W_k (M E)^T) E with M lower-triangular Toeplitz: two layers, two parameters.

    E holds the one-hot tokens (T, V). The first layer, M with the entries v by distance, mixes
    earlier tokens into the keys; the second compares the current token with them through W_k
    and adds up what it attends to. W_k = I with v = (0, 1, 0, ...) counts bigrams, W_k = 11^T
    with v = (1, 0, ...) counts tokens; divided by the number of positions, the counts are the
    logits. The released code passes v through a softmax and gives it a larger learning rate.
    """

    name: ClassVar[str] = "simplified-transformer"
    paper: ClassVar[str] = "E. Edelman et al. 2024, arXiv:2402.11004"
    inputs = (Tokens,)
    outputs = (TokenLogits,)

    softmax: bool = True
    """Whether v passes through a softmax, which keeps its entries positive with sum 1."""
    init: float = Field(default=0.01, ge=0)
    """Initial entries of W_k; v begins at zero, or without a softmax at 1/T."""
    v_rate: float = Field(default=10.0, gt=0)
    """Learning rate of v as a multiple of that of W_k."""
    recipe: Recipe = Recipe(optimizer="sgd", lr=1.0, batch_size=64)

    def build(self, interface: Interface) -> nn.Module:
        """W_k and v, initialized as released."""
        assert isinstance(interface.input, Tokens)
        return Simplified(self, interface.input.vocabulary, interface.input.length)


class Simplified(nn.Module):
    """mask(E W_k (M E)^T) E, as logits."""

    def __init__(self, config: SimplifiedTransformer, vocabulary: int, length: int) -> None:
        """config: the settings; vocabulary and length: of the tokens."""
        super().__init__()
        self.profile = Profile(length, config.v_rate, config.softmax)
        self.key = nn.Parameter(torch.full((vocabulary, vocabulary), config.init))

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
