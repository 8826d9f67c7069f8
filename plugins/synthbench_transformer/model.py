"""A causal transformer, small enough to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import (
    Interface,
    InterfaceError,
    Margin,
    Model,
    Recipe,
    Signs,
    TokenLogits,
    Tokens,
)
from synthbench_transformer.positions import Positions

if TYPE_CHECKING:
    from torch import nn


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
        from synthbench_transformer.network import (
            SignTransformer,
            TokenTransformer,
            Trunk,
            TrunkShape,
        )

        shape = TrunkShape(
            layers=self.layers,
            heads=self.heads,
            width=self.width,
            mlp=self.mlp,
            norm=self.norm,
            positions=self.positions,
            dropout=self.dropout,
        )
        if isinstance(interface.input, Tokens):
            vocabulary, length = interface.input.vocabulary, interface.input.length
            return TokenTransformer(Trunk(shape, vocabulary, length), self.width, vocabulary)
        (coordinates,) = interface.input.shape
        # Two symbols for the signs and one for the read-out token.
        return SignTransformer(Trunk(shape, 3, coordinates + 1), self.width)
