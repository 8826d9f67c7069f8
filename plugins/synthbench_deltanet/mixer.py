"""The layers of DeltaNet and Gated DeltaNet."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize, silu

from synthbench import CausalConvolution, RMSNorm, SelectiveDecay
from synthbench_deltanet.delta_rule import delta_rule, delta_step

State = tuple[Tensor, Tensor]
"""Inputs that the convolution still sees (B, kernel - 1, 3 width); memory (B, heads, d, d)."""


class DeltaMixer(nn.Module):
    """Queries, keys and values of a short convolution, mixed by the delta rule.

    Keys and queries have norm 1, rates are sigmoids, each head's output is normalized. Gated, the
    memory decays by Mamba-2's rule and the output passes a SiLU gate.
    """

    def __init__(self, width: int, heads: int, kernel: int, gated: bool) -> None:
        """heads: that share the width; kernel: taps of the convolution."""
        super().__init__()
        self.heads, self.kernel = heads, kernel
        self.inputs = nn.Linear(width, 3 * width, bias=False)
        self.convolution = CausalConvolution(3 * width, kernel)
        self.rate = nn.Linear(width, heads)
        self.decay = SelectiveDecay(width, heads) if gated else None
        self.gate = nn.Linear(width, width, bias=False) if gated else None
        self.norm = RMSNorm(width // heads)
        self.output = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        convolved = self.convolution(self.inputs(x))
        # Heads before positions: (B, heads, T, ...).
        query, key, value = (each.transpose(1, 2) for each in self.keyed(convolved))
        rate, log_decay = (each.transpose(1, 2) for each in self.rates(x))
        mixed = delta_rule(query, key, value, rate, log_decay).transpose(1, 2)
        return self.written(mixed, x)

    def initial_state(self, batch: int) -> State:
        """The state before the first position."""
        width, heads = self.output.in_features, self.heads
        weight = self.output.weight
        memory = weight.new_zeros(batch, heads, width // heads, width // heads)
        return weight.new_zeros(batch, self.kernel - 1, 3 * width), memory

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One position, (B, width) -> (B, width), and the state after it."""
        window, memory = state
        window = torch.cat([window, self.inputs(x)[:, None]], dim=1)
        convolved = self.convolution(window)[:, -1]
        mixed, memory = delta_step(*self.keyed(convolved), *self.rates(x), memory)
        return self.written(mixed, x), (window[:, 1:], memory)

    def keyed(self, convolved: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(..., 3 width) -> queries, keys and values, each (..., heads, d)."""
        query, key, value = silu(convolved).unflatten(-1, (3, self.heads, -1)).unbind(-3)
        return normalize(query, dim=-1), normalize(key, dim=-1), value

    def rates(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(..., width) -> rates and logarithms of decays, each (..., heads)."""
        rate = torch.sigmoid(self.rate(x))
        return rate, torch.zeros_like(rate) if self.decay is None else self.decay(x)[1]

    def written(self, mixed: Tensor, x: Tensor) -> Tensor:
        """Outputs of the heads (..., heads, d) -> (..., width)."""
        out = self.norm(mixed).flatten(-2)
        result: Tensor = self.output(out if self.gate is None else out * silu(self.gate(x)))
        return result
