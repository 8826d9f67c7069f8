"""RWKV: linear attention with decays for every channel that depend on the input."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from synthbench import MultiHeadModel

if TYPE_CHECKING:
    from torch import nn


class RWKV(MultiHeadModel):
    """S_t = diag(w_t) S_{t-1} + k_t v_t^T, read by y_t = (S_{t-1} + diag(u) k_t v_t^T)^T r_t.

    RWKV-6 ("Finch"), its time mixing: r, k, v, the decay w_t = exp(-exp(d_t)) and a SiLU gate read
    mixtures of a position and the one before it, and each head's output is normalized. Its channel
    mixing is left to the MLP that all families have.
    """

    name: ClassVar[str] = "rwkv"
    paper: ClassVar[str] = "Peng et al. 2024, arXiv:2404.05892"

    rank: int = Field(default=8, ge=1)
    """Of the matrices by which mixtures and decays depend on the input."""

    def mixer(self, length: int) -> nn.Module:
        """Time mixing, in chunks."""
        from synthbench_state_space.rwkv_mixer import RWKVMixer

        return RWKVMixer(self.width, self.heads, self.rank)

    def mixer_state(self, length: int) -> int:
        """A matrix for each head, and the previous input."""
        return self.heads * self.head_size**2 + self.width
