"""Decays that depend on the input, as state-space models have them."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

FASTEST = 16.0
SHORTEST_STEP, LONGEST_STEP = 1e-3, 1e-1


class SelectiveDecay(nn.Module):
    """Time steps d_t = softplus(W x_t + b) and decays a_t = exp(-d_t exp(A)), one for each head.

    It begins with rates exp(A) uniform on 1 to 16 and steps log-uniform on 0.001 to 0.1. Source:
    Gu & Dao 2023, arXiv:2312.00752; Dao & Gu 2024, arXiv:2405.21060, section 7.
    """

    def __init__(self, width: int, heads: int) -> None:
        """width: of the input; heads: decays for each position."""
        super().__init__()
        self.step = nn.Linear(width, heads)
        self.log_rate = nn.Parameter(torch.empty(heads).uniform_(1, FASTEST).log())
        shortest, longest = math.log(SHORTEST_STEP), math.log(LONGEST_STEP)
        steps = torch.empty(heads).uniform_(shortest, longest).exp()
        # The inverse of softplus.
        self.step.bias.data = steps + torch.log(-torch.expm1(-steps))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(..., width) -> steps and the logarithms of decays, at most 0, each (..., heads)."""
        # In the precision of the rates, also where autocast rounds: sums of many follow.
        step = softplus(self.step(x).to(self.log_rate.dtype))
        return step, -step * self.log_rate.exp()
