"""Softmax attention, over all earlier positions or the latest ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import MultiHeadModel

if TYPE_CHECKING:
    from torch import nn


class Attention(MultiHeadModel):
    """y_i = sum_{j <= i} softmax_j(q_i . k_j / sqrt(d)) v_j, for each head.

    With a window, only the latest positions are seen (Beltagy et al. 2020, arXiv:2004.05150).
    Its state is the keys and values of the positions that later ones see.
    """

    name: ClassVar[str] = "attention"
    paper: ClassVar[str] = "Vaswani et al. 2017, arXiv:1706.03762"

    rotary: bool = True
    """Whether queries and keys are turned with their positions."""
    window: int | None = Field(default=None, ge=2)
    """Positions that each sees, itself among them; none: all earlier ones."""

    @model_validator(mode="after")
    def _rotary_turns_pairs(self) -> Attention:
        if self.rotary and self.head_size % 2:
            raise ValueError("rotary needs an even width for each head")
        return self

    def mixer(self, length: int) -> nn.Module:
        """Attention over all positions, or over a window of them."""
        from synthbench_attention.mixer import AttentionMixer

        return AttentionMixer(self.width, self.heads, self.rotary, self.window)

    def mixer_state(self, length: int) -> int:
        """Keys and values of the positions before the last."""
        seen = length if self.window is None else min(self.window, length)
        return 2 * self.width * (seen - 1)
