"""The networks of the transformer: an output at every position, or one at the end."""

from __future__ import annotations

from math import prod

import torch
from torch import Tensor, nn

from synthbench import Dropout, SequenceReading, one_hot
from synthbench_transformer.attention import OUTPUT_STD, STD, Norm, SelfAttention
from synthbench_transformer.trunk_shape import TrunkShape


class Trunk(nn.Module):
    """Embedding, layers, final normalization."""

    def __init__(self, shape: TrunkShape, vocabulary: int, length: int) -> None:
        """shape: of the layers; vocabulary and length: of the longest sequence."""
        super().__init__()
        self.vocabulary = vocabulary
        self.embedding = nn.Parameter(STD * torch.randn(vocabulary, shape.width))
        absolute = shape.positions == "absolute"
        self.place = nn.Parameter(STD * torch.randn(length, shape.width)) if absolute else None
        self.dropout = Dropout(shape.dropout) if shape.dropout else nn.Identity()
        self.blocks = nn.ModuleList(Block(shape, length) for _ in range(shape.layers))
        self.norm = Norm(shape.width) if shape.norm else nn.Identity()

    def forward(self, read: Tensor) -> Tensor:
        """Tokens (B, T), or rows (B, T, vocabulary), -> the stream after the last layer."""
        if not read.is_floating_point():
            # A product with one-hot rows: its gradient is a product too, not a scatter.
            read = one_hot(read, self.vocabulary, self.embedding.dtype)
        x = self.dropout(self.placed(read @ self.embedding))
        for block in self.blocks:
            x = block(x)
        return self.norm(x)

    def placed(self, x: Tensor) -> Tensor:
        """With the absolute positions, if there are any, of as many as the sequence has."""
        if self.place is None:
            return x
        length = x.shape[1]
        return x + (self.place if length == self.place.shape[0] else self.place[:length])


class Block(nn.Module):
    """One layer: attention, then the MLP if there is one, each added to the stream.

    A mixer may stand in the place of attention; all else is the same.
    """

    def __init__(self, shape: TrunkShape, length: int) -> None:
        """shape: of the layers; length: number of positions."""
        super().__init__()
        width, hidden = shape.width, shape.mlp * shape.width
        self.attention_norm = Norm(width) if shape.norm else nn.Identity()
        self.attention = (
            SelfAttention(shape, length) if shape.mixer is None else shape.mixer.mixer(length)
        )
        self.mlp_norm = Norm(width) if shape.norm and hidden else nn.Identity()
        self.mlp = None
        if hidden:
            self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
            for layer, std in ((self.mlp[0], STD), (self.mlp[2], OUTPUT_STD)):
                nn.init.normal_(layer.weight, std=std)
                nn.init.zeros_(layer.bias)
        self.dropouts = nn.ModuleList(
            Dropout(shape.dropout) if shape.dropout else nn.Identity() for _ in range(2)
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        x = x + self.dropouts[0](self.attention(self.attention_norm(x)))
        if self.mlp is None:
            return x
        return x + self.dropouts[1](self.mlp(self.mlp_norm(x)))


class PositionTransformer(nn.Module):
    """An output at every position."""

    def __init__(
        self, reading: SequenceReading, trunk: Trunk, width: int, shape: tuple[int, ...], bias: bool
    ) -> None:
        """trunk: (B, T) -> (B, T, width); shape: of the output at one position."""
        super().__init__()
        self.reading, self.shape = reading, shape
        self.trunk = trunk
        self.readout = readout(width, prod(shape), bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, ...) -> (B, T, *shape)."""
        output: Tensor = self.readout(self.trunk(self.reading(x)))
        return output.reshape(*output.shape[:2], *self.shape)


class TiedTransformer(nn.Module):
    """Logits of the tokens at every position, by the weights that embed them."""

    def __init__(self, trunk: Trunk, bias: bool) -> None:
        """trunk: (B, T) -> (B, T, width), which has the embedding."""
        super().__init__()
        self.trunk = trunk
        self.bias = nn.Parameter(torch.zeros(trunk.vocabulary)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """(B, T) tokens -> (B, T, vocabulary)."""
        logits: Tensor = self.trunk(x) @ self.trunk.embedding.T
        return logits if self.bias is None else logits + self.bias


class LastTransformer(nn.Module):
    """An output from the state of a read-out token that follows the sequence."""

    def __init__(
        self, reading: SequenceReading, trunk: Trunk, width: int, shape: tuple[int, ...]
    ) -> None:
        """trunk: (B, T + 1) -> (B, T + 1, width); shape: of the output."""
        super().__init__()
        self.reading, self.shape = reading, shape
        self.trunk = trunk
        self.readout = readout(width, prod(shape), bias=True)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, ...) -> (B, *shape)."""
        output: Tensor = self.readout(self.trunk(self.reading(x))[:, -1])
        return output.reshape(x.shape[0], *self.shape)


def readout(width: int, outputs: int, bias: bool) -> nn.Linear:
    """The last layer, small at first."""
    layer = nn.Linear(width, outputs, bias)
    nn.init.normal_(layer.weight, std=STD)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)
    return layer
