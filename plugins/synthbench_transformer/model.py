"""A causal transformer, small enough to read."""

from __future__ import annotations

from typing import ClassVar

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from synthbench import (
    Dropout,
    Interface,
    InterfaceError,
    Margin,
    Model,
    Recipe,
    Signs,
    TokenLogits,
    Tokens,
)
from synthbench_transformer.attention import OUTPUT_STD, STD, Norm, Positions, SelfAttention
from synthbench_transformer.one_hot import one_hot


class Transformer(Model):
    """Layers of causal self-attention, each with or without an MLP, around a residual stream.

    Reads tokens and predicts the next at every position; or reads signs, one token for each
    coordinate and a read-out token at the end, whose state gives the margin (Barak et al.
    2022). The defaults are the released setting of E. Edelman et al. 2024.
    """

    name: ClassVar[str] = "transformer"
    headline: ClassVar[tuple[str, ...]] = ("layers",)
    paper: ClassVar[str] = "E. Edelman et al. 2024, arXiv:2402.11004"
    inputs = (Tokens, Signs)
    outputs = (TokenLogits, Margin)

    layers: int = Field(default=2, ge=1)
    """Number of layers."""
    heads: int = Field(default=1, ge=1)
    """Attention heads in each layer; they share the width."""
    width: int = Field(default=16, ge=1)
    """Size of the residual stream."""
    mlp: int = Field(default=0, ge=0)
    """Hidden units of the MLP after each attention, as a multiple of width; 0: attention only."""
    norm: bool = True
    """Layer normalization before every attention, MLP and the output."""
    positions: Positions | None = "relative"
    """Relative (added to keys), absolute (added to tokens), rotary, or none."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of embeddings, attention weights and layer outputs dropped in training."""
    recipe: Recipe = Recipe(
        optimizer="adamw", lr=5e-4, beta2=0.95, weight_decay=0.1, decayed="matrices", clip=1.0,
        batch_size=64,
    )  # fmt: skip

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> Transformer:
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads={self.heads}, got {self.width}")
        if self.positions == "rotary" and (self.width // self.heads) % 2:
            raise ValueError("positions=rotary needs an even width for each head")
        return self

    def check_accepts(self, interface: Interface) -> None:
        """Tokens go with token logits of as many symbols, signs with a margin."""
        super().check_accepts(interface)
        given, wanted = interface.input, interface.output
        if isinstance(given, Tokens):
            fits = isinstance(wanted, TokenLogits) and wanted.vocabulary == given.vocabulary
        else:
            fits = isinstance(wanted, Margin)
        if not fits:
            raise InterfaceError(
                f'model "{self.name}" cannot take this task: it gives token logits for tokens of '
                f"the same vocabulary and a margin for signs, the task is {interface.describe()}"
            )

    def build(self, interface: Interface) -> nn.Module:
        """The network for tokens, or the one for signs."""
        if isinstance(interface.input, Tokens):
            vocabulary, length = interface.input.vocabulary, interface.input.length
            return TokenTransformer(Trunk(self, vocabulary, length), self.width, vocabulary)
        (coordinates,) = interface.input.shape
        # Two symbols for the signs and one for the read-out token.
        return SignTransformer(Trunk(self, 3, coordinates + 1), self.width)


class Trunk(nn.Module):
    """Embedding, layers, final normalization: (B, T) tokens -> (B, T, width)."""

    def __init__(self, config: Transformer, vocabulary: int, length: int) -> None:
        """config: the sizes; vocabulary and length: of the tokens."""
        super().__init__()
        self.vocabulary = vocabulary
        self.embedding = nn.Parameter(STD * torch.randn(vocabulary, config.width))
        absolute = config.positions == "absolute"
        self.place = nn.Parameter(STD * torch.randn(length, config.width)) if absolute else None
        self.dropout = Dropout(config.dropout) if config.dropout else nn.Identity()
        self.blocks = nn.ModuleList(Block(config, length) for _ in range(config.layers))
        self.norm = Norm(config.width) if config.norm else nn.Identity()

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

    def __init__(self, config: Transformer, length: int) -> None:
        """config: the sizes; length: number of positions."""
        super().__init__()
        width, hidden = config.width, config.mlp * config.width
        self.attention_norm = Norm(width) if config.norm else nn.Identity()
        self.attention = SelfAttention(
            width, config.heads, length, config.positions, config.dropout
        )
        self.mlp_norm = Norm(width) if config.norm and hidden else nn.Identity()
        self.mlp = None
        if hidden:
            self.mlp = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
            for layer, std in ((self.mlp[0], STD), (self.mlp[2], OUTPUT_STD)):
                nn.init.normal_(layer.weight, std=std)
                nn.init.zeros_(layer.bias)
        self.dropouts = nn.ModuleList(
            Dropout(config.dropout) if config.dropout else nn.Identity() for _ in range(2)
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
