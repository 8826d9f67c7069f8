"""DeltaNet: linear attention that takes back what it held at a key before it writes there."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import MultiHeadModel

if TYPE_CHECKING:
    from torch import nn


class DeltaNet(MultiHeadModel):
    """S_t = a_t (I - b_t k_t k_t^T) S_{t-1} + b_t k_t v_t^T, read by o_t = S_t^T q_t.

    Keys and queries have norm 1 and come, as the values do, from a short causal convolution. With
    a_t = 1 it is DeltaNet; gated, a_t in (0, 1) depends on the input as in Mamba-2, and a SiLU
    gate follows: Gated DeltaNet (Yang et al. 2024, arXiv:2412.06464).
    """

    name: ClassVar[str] = "deltanet"
    paper: ClassVar[str] = (
        "Schlag et al. 2021, arXiv:2102.11174; Yang et al. 2024, arXiv:2406.06484"
    )

    gated: bool = False
    """Whether the memory decays and the output is gated."""
    convolution: int = Field(default=4, ge=1)
    """Taps of the convolution of queries, keys and values; 1: each position on its own."""

    def mixer(self, length: int) -> nn.Module:
        """The delta rule, in chunks."""
        from synthbench_deltanet.mixer import DeltaMixer

        return DeltaMixer(self.width, self.heads, self.convolution, self.gated)

    def mixer_state(self, length: int) -> int:
        """A matrix for each head, and the inputs that the convolution still sees."""
        return self.heads * self.head_size**2 + (self.convolution - 1) * 3 * self.width
