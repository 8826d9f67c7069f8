"""Sizes of a layer of Mamba-2."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Mamba2Shape:
    """Sizes of one layer."""

    width: int
    inner: int
    """Channels inside, shared by the heads."""
    heads: int
    state: int
    """N, the states of each channel."""
    kernel: int
    """Taps of the convolution."""

    @property
    def convolved(self) -> int:
        """Channels of the convolution: x, b and c."""
        return self.inner + 2 * self.state
