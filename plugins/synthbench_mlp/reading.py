"""How an input of any kind becomes one vector."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor

from synthbench import Port, Tokens, one_hot


@dataclass(frozen=True)
class VectorReading:
    """The whole input as one vector: signs and reals as they are, tokens as indicators."""

    port: Port

    @property
    def size(self) -> int:
        """Entries of the vector."""
        symbols = self.port.vocabulary if isinstance(self.port, Tokens) else 1
        return prod(self.port.shape) * symbols

    def __call__(self, x: Tensor, dtype: torch.dtype) -> Tensor:
        """(B, ...) -> (B, size); dtype: of indicators."""
        if isinstance(self.port, Tokens):
            x = one_hot(x, self.port.vocabulary, dtype)
        return x.flatten(1)
