"""A sequence model with one slot: how positions are mixed."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, ValidationError, model_validator

from synthbench.contracts.interface import (
    ClassLogits,
    Interface,
    Margin,
    Margins,
    RealSequence,
    Signs,
    TokenLogits,
    Tokens,
    Value,
)
from synthbench.contracts.model import Model
from synthbench.contracts.recipe import Recipe
from synthbench.errors import ConfigurationError, InterfaceError, first_mistake

if TYPE_CHECKING:
    from torch import nn


class SequenceModel(Model):
    """Layers of a mixer, each with or without an MLP, around a residual stream.

    A subclass gives the `mixer` and its name; everything else is the same for every family, so
    that two of them differ in what mixes positions alone. Reads tokens, real vectors (embedded
    linearly) or signs, each a token. Causal outputs are given at every position, everything else
    by a read-out token at the end. Normalization is RMSNorm, of the mixer's and the MLP's input
    and of the last state: that of the papers of most mixers since 2023.
    """

    headline: ClassVar[tuple[str, ...]] = ("layers", "width")
    inputs = (Tokens, RealSequence, Signs)
    outputs = (TokenLogits, Margin, Margins, Value, ClassLogits)
    takes_shorter = True

    layers: int = Field(default=2, ge=1)
    """Number of layers, each with a mixer of its own."""
    width: int = Field(default=64, ge=1)
    """Size of the residual stream."""
    mlp: int = Field(default=2, ge=0)
    """Hidden units of the MLP after each mixer, as a multiple of width; 0: mixers only."""
    norm: bool = True
    """RMSNorm before every mixer, MLP and the output."""
    positions: Literal["absolute"] | None = None
    """Absolute: added to tokens; none: left to the mixer."""
    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Share of embeddings and of the outputs of mixers and MLPs dropped in training."""
    recipe: Recipe = Recipe(
        optimizer="adamw", lr=2e-3, beta2=0.95, weight_decay=0.1, decayed="matrices", clip=1.0,
        batch_size=64,
    )  # fmt: skip

    @abstractmethod
    def mixer(self, length: int) -> nn.Module:
        """A causal module (B, T, width) -> (B, T, width), for T up to `length`; one per layer.

        Output t depends on inputs up to t alone. Its input is normalized; its output is added to
        the stream.
        """

    def mixer_state(self, length: int) -> int | None:
        """Numbers that one mixer carries from a position to the next, the most there are.

        length: positions of the longest sequence. None: unknown.
        """
        return None

    @classmethod
    def fields_as_part(cls) -> tuple[str, ...]:
        """Those of the mixer: what the common trunk has belongs to the model that takes it."""
        return tuple(key for key in cls.model_fields if key not in MultiHeadModel.model_fields)

    def sized(self, width: int, heads: int) -> SequenceModel:
        """The same mixer for a trunk of that width, with heads that share it.

        Raises ConfigurationError where it does not come in that size, or has no heads.
        """
        if heads != 1:
            raise ConfigurationError(f"the mixer of {self.name} has no heads, got heads = {heads}")
        return self._resized({"width": width})

    def _resized(self, size: dict[str, int]) -> SequenceModel:
        own = {key: getattr(self, key) for key in self.fields_as_part()}
        try:
            return type(self)(**own, **size)
        except ValidationError as error:
            raise ConfigurationError(f"{self.name}: {first_mistake(error).message}") from None

    def state_size(self, interface: Interface) -> int | None:
        """Those of all layers."""
        one = self.mixer_state(_length(interface))
        return None if one is None else self.layers * one

    def check_accepts(self, interface: Interface) -> None:
        """An output at every position is causal, and has as many as the input."""
        super().check_accepts(interface)
        length, wanted = interface.input.shape[0], interface.output
        if wanted.positions is None:
            return
        if wanted.positions != length:
            raise InterfaceError(
                f'model "{self.name}" cannot take this task: it gives one output for each of '
                f"{length} positions, the task is {interface.describe()}"
            )
        if not wanted.causal:
            raise InterfaceError(
                f'model "{self.name}" cannot take this task: its mixer sees earlier positions '
                f"alone, {wanted.describe()} need later ones; try transformer"
            )

    def build(self, interface: Interface) -> nn.Module:
        """The network, with an output at every position or one at the read-out token."""
        from synthbench.trunk.network import SequenceNetwork, TrunkShape
        from synthbench.trunk.reading import SequenceReading

        wanted, length = interface.output, _length(interface)
        shape = TrunkShape(
            self.width, self.mlp, self.norm, self.positions == "absolute", self.dropout
        )
        mixers = [self.mixer(length) for _ in range(self.layers)]
        reading = SequenceReading(interface.input, wanted.positions is None)
        return SequenceNetwork(reading, mixers, shape, wanted.shape)


class MultiHeadModel(SequenceModel):
    """A sequence model whose mixer has heads that share the width."""

    heads: int = Field(default=2, ge=1)
    """Heads of each mixer; they share the width."""

    def sized(self, width: int, heads: int) -> SequenceModel:
        """The same mixer for a trunk of that width, with heads that share it.

        Raises ConfigurationError where it does not come in that size.
        """
        return self._resized({"width": width, "heads": heads})

    @property
    def head_size(self) -> int:
        """Coordinates of one head."""
        return self.width // self.heads

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> MultiHeadModel:
        if self.width % self.heads:
            raise ValueError(f"width must be a multiple of heads={self.heads}, got {self.width}")
        return self


def _length(interface: Interface) -> int:
    """Positions of the longest sequence, with the read-out token if there is one."""
    return interface.input.shape[0] + (interface.output.positions is None)
