"""The network around the mixers: embedding, residual layers, read-out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor, nn

from synthbench.contracts.dropout import Dropout
from synthbench.contracts.one_hot import one_hot
from synthbench.trunk.norm import RMSNorm
from synthbench.trunk.reading import SequenceReading

READOUT_STD = 0.02
"""Initial weights of the read-out: outputs begin close to zero."""


@dataclass(frozen=True)
class TrunkShape:
    """What surrounds the mixers; the fields of `SequenceModel`."""

    width: int
    mlp: int
    norm: bool
    absolute: bool
    """Whether positions are added to the tokens."""
    dropout: float


class SequenceNetwork(nn.Module):
    """Embedding, layers, normalization, and an output at every position or at the last."""

    def __init__(
        self,
        reading: SequenceReading,
        mixers: Sequence[nn.Module],
        shape: TrunkShape,
        output: tuple[int, ...],
    ) -> None:
        """mixers: one per layer, (B, T, width) -> (B, T, width); output: shape of an example's."""
        super().__init__()
        self.reading, self.output = reading, output if reading.read_out else output[1:]
        self.embedding = nn.Parameter(torch.randn(reading.symbols, shape.width))
        place = torch.randn(reading.length, shape.width)
        self.place = nn.Parameter(place) if shape.absolute else None
        self.dropout = _dropout(shape.dropout)
        self.blocks = nn.ModuleList(Block(mixer, shape) for mixer in mixers)
        self.norm = RMSNorm(shape.width) if shape.norm else nn.Identity()
        self.readout = nn.Linear(shape.width, prod(self.output))
        nn.init.normal_(self.readout.weight, std=READOUT_STD)
        nn.init.zeros_(self.readout.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, ...) -> (B, T, *output), or (B, *output) from the read-out token."""
        read = self.reading(x)
        if not read.is_floating_point():
            # A product with one-hot rows: its gradient is a product too, not a scatter.
            read = one_hot(read, self.reading.symbols, self.embedding.dtype)
        h = read @ self.embedding
        if self.place is not None:
            h = h + self.place[: h.shape[1]]
        h = self.dropout(h)
        for block in self.blocks:
            h = block(h)
        if self.reading.read_out:
            h = h[:, -1]
        output: Tensor = self.readout(self.norm(h))
        return output.reshape(*h.shape[:-1], *self.output)


class Block(nn.Module):
    """One layer: the mixer, then the MLP if there is one, each added to the stream."""

    def __init__(self, mixer: nn.Module, shape: TrunkShape) -> None:
        """mixer: (B, T, width) -> (B, T, width)."""
        super().__init__()
        width, hidden = shape.width, shape.mlp * shape.width
        self.mixer_norm = RMSNorm(width) if shape.norm else nn.Identity()
        self.mixer = mixer
        self.mixer_dropout = _dropout(shape.dropout)
        self.mlp = None
        if hidden:
            self.mlp = nn.Sequential(
                RMSNorm(width) if shape.norm else nn.Identity(),
                nn.Linear(width, hidden),
                nn.GELU(),
                nn.Linear(hidden, width),
                _dropout(shape.dropout),
            )

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        x = x + self.mixer_dropout(self.mixer(self.mixer_norm(x)))
        return x if self.mlp is None else x + self.mlp(x)


def _dropout(share: float) -> nn.Module:
    return Dropout(share) if share else nn.Identity()
