"""Mamba-2: a selective state space with one decay for each head."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import MultiHeadModel
from synthbench_state_space.mamba2_shape import Mamba2Shape

if TYPE_CHECKING:
    from torch import nn


class Mamba2(MultiHeadModel):
    """h_t = a_t h_{t-1} + d_t b_t x_t^T, read by y_t = h_t^T c_t + D x_t.

    d_t = softplus(...) and a_t = exp(-d_t exp(A)) are one number for each head; x, b and c come
    from a short causal convolution; a SiLU gate, a normalization and a projection follow.
    """

    name: ClassVar[str] = "mamba2"
    paper: ClassVar[str] = "Dao & Gu 2024, arXiv:2405.21060"

    state: int = Field(default=16, ge=1)
    """States of each channel, N."""
    expand: int = Field(default=2, ge=1)
    """Channels inside as a multiple of width; the heads share them."""
    convolution: int = Field(default=4, ge=1)
    """Taps of the convolution of x, b and c; 1: each position on its own."""

    @property
    def shape(self) -> Mamba2Shape:
        """Sizes of one layer."""
        inner = self.expand * self.width
        return Mamba2Shape(self.width, inner, self.heads, self.state, self.convolution)

    def mixer(self, length: int) -> nn.Module:
        """The state space in its dual form."""
        from synthbench_state_space.mamba2_mixer import Mamba2Mixer

        return Mamba2Mixer(self.shape)

    def mixer_state(self, length: int) -> int:
        """h of every channel, and the inputs that the convolution still sees."""
        shape = self.shape
        return shape.inner * shape.state + (shape.kernel - 1) * shape.convolved
