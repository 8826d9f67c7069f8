"""Short causal depthwise convolutions."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad


class CausalConvolution(nn.Module):
    """y_t = sum_j w_j * x_{t-j} + b for j < kernel, a filter of its own for every channel.

    Summed tap by tap: products that map over replicas as they are, where a grouped convolution
    would not be worth it for a few taps.
    """

    def __init__(self, width: int, kernel: int) -> None:
        """width: channels; kernel: taps, of which the first is the position itself."""
        super().__init__()
        self.kernel = kernel
        bound = kernel**-0.5
        self.weight = nn.Parameter(torch.empty(kernel, width).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        length = x.shape[-2]
        padded = pad(x, (0, 0, self.kernel - 1, 0))
        # Tap j of position t lies at t + kernel - 1 - j.
        starts = range(self.kernel - 1, -1, -1)
        y: Tensor = self.bias
        for start, weight in zip(starts, self.weight.unbind(), strict=True):
            y = y + padded[..., start : start + length, :] * weight
        return y

    def initial_state(self, batch: int) -> Tensor:
        """The inputs before the first, newest last: zeros (B, kernel - 1, width)."""
        return self.bias.new_zeros(batch, self.kernel - 1, self.bias.numel())

    def step(self, x: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """One position of `forward`: x (B, width), and the inputs before it -> y, new state."""
        inputs = torch.cat([state, x[:, None]], dim=1)
        return (inputs.flip(1) * self.weight).sum(1) + self.bias, inputs[:, 1:]
