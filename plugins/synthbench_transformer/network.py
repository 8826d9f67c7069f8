"""The networks of the transformer, for tokens and for signs."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from synthbench import Dropout
from synthbench_transformer.attention import OUTPUT_STD, STD, Norm, SelfAttention
from synthbench_transformer.one_hot import one_hot
from synthbench_transformer.positions import Positions


@dataclass(frozen=True)
class TrunkShape:
    """What the layers are made of; the fields are those of `Transformer`."""

    layers: int
    heads: int
    width: int
    mlp: int
    norm: bool
    positions: Positions | None
    dropout: float


class Trunk(nn.Module):
    """Embedding, layers, final normalization: (B, T) tokens -> (B, T, width)."""

    def __init__(self, shape: TrunkShape, vocabulary: int, length: int) -> None:
        """shape: of the layers; vocabulary and length: of the tokens."""
        super().__init__()
        self.vocabulary = vocabulary
        self.embedding = nn.Parameter(STD * torch.randn(vocabulary, shape.width))
        absolute = shape.positions == "absolute"
        self.place = nn.Parameter(STD * torch.randn(length, shape.width)) if absolute else None
        self.dropout = Dropout(shape.dropout) if shape.dropout else nn.Identity()
        self.blocks = nn.ModuleList(Block(shape, length) for _ in range(shape.layers))
        self.norm = Norm(shape.width) if shape.norm else nn.Identity()

    def forward(self, tokens: Tensor) -> Tensor:
        """The residual stream after the last layer."""
        # A product with one-hot rows: its gradient is a product too, not a scatter.
        x = one_hot(tokens, self.vocabulary, self.embedding.dtype) @ self.embedding
        if self.place is not None:
            x = x + self.place
        x = self.dropout(x)
        for block in self.blocks:
            x = block(x)
        return self.norm(x)


class Block(nn.Module):
    """One layer: attention, then the MLP if there is one, each added to the stream."""

    def __init__(self, shape: TrunkShape, length: int) -> None:
        """shape: of the layers; length: number of positions."""
        super().__init__()
        width, hidden = shape.width, shape.mlp * shape.width
        self.attention_norm = Norm(width) if shape.norm else nn.Identity()
        self.attention = SelfAttention(width, shape.heads, length, shape.positions, shape.dropout)
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


class TokenTransformer(nn.Module):
    """Log-odds of the next token at every position."""

    def __init__(self, trunk: Trunk, width: int, vocabulary: int) -> None:
        """trunk: (B, T) -> (B, T, width)."""
        super().__init__()
        self.trunk = trunk
        self.readout = nn.Linear(width, vocabulary, bias=False)
        nn.init.normal_(self.readout.weight, std=STD)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T) -> (B, T, V)."""
        logits: Tensor = self.readout(self.trunk(x))
        return logits


class SignTransformer(nn.Module):
    """A margin from the state of a read-out token that follows the coordinates."""

    def __init__(self, trunk: Trunk, width: int) -> None:
        """trunk: (B, n + 1) -> (B, n + 1, width)."""
        super().__init__()
        self.trunk = trunk
        self.readout = nn.Linear(width, 1)
        nn.init.normal_(self.readout.weight, std=STD)
        nn.init.zeros_(self.readout.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(B, n) signs -> (B,)."""
        tokens = nn.functional.pad((x > 0).to(torch.int64), (0, 1), value=2)
        margin: Tensor = self.readout(self.trunk(tokens)[:, -1])
        return margin.squeeze(-1)
