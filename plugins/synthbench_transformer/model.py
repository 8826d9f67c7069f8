"""A transformer, small enough to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import (
    ClassLogits,
    Interface,
    InterfaceError,
    Margin,
    Margins,
    Mixer,
    Model,
    RealSequence,
    Recipe,
    Signs,
    TokenLogits,
    Tokens,
    Value,
)
from synthbench_transformer.positions import Positions

if TYPE_CHECKING:
    from torch import nn


class Transformer(Model):
    """Layers of self-attention, each with or without an MLP, around a residual stream.

    Reads a sequence of tokens, of real vectors (embedded linearly) or of signs, each a token.
    Token logits and causal outputs are given at every position; everything else by a read-out
    token at the end (Barak et al. 2022). Attention is causal, unless an output at every position
    is not: then it is an encoder's, without a mask. The defaults are the released setting of
    E. Edelman et al. 2024.
    """

    name: ClassVar[str] = "transformer"
    headline: ClassVar[tuple[str, ...]] = ("layers",)
    paper: ClassVar[str] = "E. Edelman et al. 2024, arXiv:2402.11004"
    inputs = (Tokens, RealSequence, Signs)
    outputs = (TokenLogits, Margin, Margins, Value, ClassLogits)
    takes_shorter = True

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
    """Relative (added to keys), absolute (added to tokens), rotary, or none; beside a mixer only
    absolute has a meaning."""
    mixer: Mixer | None = Field(default=None, exclude_if=lambda mixer: mixer is None)
    """What mixes positions in the place of attention: the mixer of a sequence model; none:
    attention. Its own fields are written mixer.field=value."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of embeddings, attention weights and layer outputs dropped in training."""
    tied: bool = Field(default=False, exclude_if=lambda tied: not tied)
    """Whether the read-out has the embedding's weights, as in Makkuva et al. 2024: of tasks that
    ask for the tokens that they show, at every position."""
    readout_bias: bool = Field(default=False, exclude_if=lambda bias: not bias)
    """Whether token logits have a bias of their own too; all other outputs have one."""
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

    @model_validator(mode="after")
    def _mixer_fits(self) -> Transformer:
        if self.mixer is None:
            return self
        if self.positions == "rotary":
            raise ValueError(
                f"positions=rotary turns the queries and keys of attention; mixer={self.mixer.name}"
                " has positions of its own"
            )
        self.mixer.sized(self.width, self.heads)
        return self

    def check_accepts(self, interface: Interface) -> None:
        """An output at every position has as many as the input; mixers see earlier ones alone."""
        super().check_accepts(interface)
        length, wanted = interface.input.shape[0], interface.output
        if wanted.positions not in (None, length):
            raise InterfaceError(
                f'model "{self.name}" cannot take this task: it gives one output for each of '
                f"{length} positions, the task is {interface.describe()}"
            )
        if self.mixer is not None and _sees_everything(interface):
            raise InterfaceError(
                f'model "{self.name}" cannot take this task: mixer={self.mixer.name} sees earlier '
                f"positions alone, {wanted.describe()} need later ones; leave out mixer"
            )
        if self.tied and not _asks_for_its_tokens(interface):
            raise InterfaceError(
                f'model "{self.name}" cannot take this task: tied=true is for logits of the tokens '
                f"that it reads, the task is {interface.describe()}"
            )

    def state_size(self, interface: Interface) -> int | None:
        """Keys and values of the positions before the last, or a mixer's; none for an encoder."""
        if _sees_everything(interface):
            return None
        length = interface.input.shape[0] + (interface.output.positions is None)
        if self.mixer is None:
            return self.layers * 2 * self.width * (length - 1)
        one = self.mixer.sized(self.width, self.heads).mixer_state(length)
        return None if one is None else self.layers * one

    def build(self, interface: Interface) -> nn.Module:
        """The network with outputs at every position, or the one with a read-out token."""
        from synthbench import SequenceReading
        from synthbench_transformer.network import (
            LastTransformer,
            PositionTransformer,
            TiedTransformer,
            Trunk,
        )
        from synthbench_transformer.trunk_shape import TrunkShape

        wanted = interface.output
        everywhere = wanted.positions is not None
        shape = TrunkShape(
            layers=self.layers,
            heads=self.heads,
            width=self.width,
            mlp=self.mlp,
            norm=self.norm,
            positions=self.positions,
            dropout=self.dropout,
            masked=not _sees_everything(interface),
            mixer=None if self.mixer is None else self.mixer.sized(self.width, self.heads),
        )
        reading = SequenceReading(interface.input, read_out=not everywhere)
        trunk = Trunk(shape, reading.symbols, reading.length)
        if not everywhere:
            return LastTransformer(reading, trunk, self.width, wanted.shape)
        # Token logits have none in the released setting.
        bias = self.readout_bias or not isinstance(wanted, TokenLogits)
        if self.tied:
            return TiedTransformer(trunk, bias)
        return PositionTransformer(reading, trunk, self.width, wanted.shape[1:], bias)


def _sees_everything(interface: Interface) -> bool:
    """Whether outputs at every position may depend on later ones: an encoder's."""
    return interface.output.positions is not None and not interface.output.causal


def _asks_for_its_tokens(interface: Interface) -> bool:
    """Whether the outputs at every position are logits of the tokens of the input."""
    given, wanted = interface.input, interface.output
    return (
        isinstance(given, Tokens)
        and isinstance(wanted, TokenLogits)
        and given.vocabulary == wanted.vocabulary
    )
