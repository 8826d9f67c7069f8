"""Three families that carry a matrix for each head, and differ in how it decays."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, model_validator

from synthbench import MultiHeadModel

if TYPE_CHECKING:
    from torch import nn


class LinearAttention(MultiHeadModel):
    """y_t = f(q_t) S_t / f(q_t) z_t with S_t = S_{t-1} + f(k_t)^T v_t, z_t = z_{t-1} + f(k_t).

    f is elu + 1, entry by entry.
    """

    name: ClassVar[str] = "linear-attention"
    paper: ClassVar[str] = "Katharopoulos et al. 2020, arXiv:2006.16236"

    def mixer(self, length: int) -> nn.Module:
        """Linear attention with a normalizer."""
        from synthbench_linear_attention.linear import LinearAttentionMixer

        return LinearAttentionMixer(self.width, self.heads)

    def mixer_state(self, length: int) -> int:
        """A matrix S and a vector z for each head."""
        return self.width * (self.head_size + 1)


class RetNet(MultiHeadModel):
    """y_t = q_t S_t with S_t = g S_{t-1} + k_t^T v_t, where head h forgets at g = 1 - 2^(-5-h).

    Each head is normalized, then gated by swish(x W).
    """

    name: ClassVar[str] = "retnet"
    paper: ClassVar[str] = "Sun et al. 2023, arXiv:2307.08621"

    rotary: bool = True
    """Whether queries and keys are turned with their positions."""

    @model_validator(mode="after")
    def _rotary_turns_pairs(self) -> RetNet:
        if self.rotary and self.head_size % 2:
            raise ValueError("rotary needs an even width for each head")
        return self

    def mixer(self, length: int) -> nn.Module:
        """Retention."""
        from synthbench_linear_attention.retention import RetentionMixer

        return RetentionMixer(self.width, self.heads, self.rotary)

    def mixer_state(self, length: int) -> int:
        """A matrix S for each head."""
        return self.width * self.head_size


class GatedLinearAttention(MultiHeadModel):
    """y_t = q_t S_t with S_t = diag(a_t) S_{t-1} + k_t^T v_t, where a_t = sigmoid(x_t W)^(1/16).

    W has low rank. Each head is normalized, then gated by swish(x W'). Keys are as large as
    values here, as they are in the other families; in the paper they are half as large.
    """

    name: ClassVar[str] = "gla"
    paper: ClassVar[str] = "Yang et al. 2023, arXiv:2312.06635"

    rank: int = Field(default=16, ge=1)
    """Rank of the map from the stream to the decays."""

    def mixer(self, length: int) -> nn.Module:
        """Gated linear attention."""
        from synthbench_linear_attention.gated import GatedLinearAttentionMixer

        return GatedLinearAttentionMixer(self.width, self.heads, self.rank)

    def mixer_state(self, length: int) -> int:
        """A matrix S for each head."""
        return self.width * self.head_size
