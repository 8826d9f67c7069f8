"""A gated short convolution: the latest positions, and nothing before them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import SequenceModel

if TYPE_CHECKING:
    from torch import nn


class ShortConvolution(SequenceModel):
    """y = (conv(x W_1) * (x W_2)) W_3, conv causal, short, and with a filter for every channel.

    The gated convolution that H3 and Hyena are made of, without its long filters: what can be
    done with the latest `layers * (kernel - 1) + 1` positions.
    """

    name: ClassVar[str] = "short-convolution"
    paper: ClassVar[str] = "Arora et al. 2023 (Zoology), arXiv:2312.04927"

    kernel: int = Field(default=4, ge=2)
    """Positions that the convolution of one layer sees, itself among them."""

    def mixer(self, length: int) -> nn.Module:
        """The gated convolution."""
        from synthbench_short_convolution.mixer import ShortConvolutionMixer

        return ShortConvolutionMixer(self.width, self.kernel)

    def mixer_state(self, length: int) -> int:
        """The inputs of the convolution at the positions before."""
        return self.width * (self.kernel - 1)
