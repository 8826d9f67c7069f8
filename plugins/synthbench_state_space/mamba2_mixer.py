"""The layer of Mamba-2."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from synthbench import CausalConvolution, RMSNorm, SelectiveDecay
from synthbench_state_space.dual_form import dual_form, state_space_step
from synthbench_state_space.mamba2_shape import Mamba2Shape

State = tuple[Tensor, Tensor]
"""Inputs that the convolution still sees (B, kernel - 1, inner + 2 N); h (B, heads, N, P)."""


class Mamba2Mixer(nn.Module):
    """x, b and c of a short convolution, the state space, a skip, a gate and a normalization."""

    def __init__(self, shape: Mamba2Shape) -> None:
        """shape: sizes of the layer."""
        super().__init__()
        self.shape = shape
        self.inputs = nn.Linear(shape.width, shape.inner + shape.convolved, bias=False)
        self.convolution = CausalConvolution(shape.convolved, shape.kernel)
        self.decay = SelectiveDecay(shape.width, shape.heads)
        self.skip = nn.Parameter(torch.ones(shape.heads))
        self.norm = RMSNorm(shape.inner)
        self.output = nn.Linear(shape.inner, shape.width, bias=False)

    def forward(self, u: Tensor) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        gate, convolved = self.split(u)
        x, write, read = self.parts(self.convolution(convolved))
        return self.written(dual_form(read, write, x, *self.decay(u)), x, gate)

    def initial_state(self, batch: int) -> State:
        """The state before the first position."""
        shape, weight = self.shape, self.output.weight
        window = weight.new_zeros(batch, shape.kernel - 1, shape.convolved)
        size = shape.inner // shape.heads
        return window, weight.new_zeros(batch, shape.heads, shape.state, size)

    def step(self, u: Tensor, state: State) -> tuple[Tensor, State]:
        """One position, (B, width) -> (B, width), and the state after it."""
        window, hidden = state
        gate, convolved = self.split(u)
        window = torch.cat([window, convolved[:, None]], dim=1)
        x, write, read = self.parts(self.convolution(window)[:, -1])
        y, hidden = state_space_step(read, write, x, *self.decay(u), hidden)
        return self.written(y, x, gate), (window[:, 1:], hidden)

    def split(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """(..., width) -> the gate (..., inner) and what is convolved (..., inner + 2 N)."""
        gate, convolved = self.inputs(u).split([self.shape.inner, self.shape.convolved], dim=-1)
        return gate, convolved

    def parts(self, convolved: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(..., inner + 2 N) -> x (..., heads, P), b and c (..., N)."""
        sizes = [self.shape.inner, self.shape.state, self.shape.state]
        x, write, read = silu(convolved).split(sizes, dim=-1)
        return x.unflatten(-1, (self.shape.heads, -1)), write, read

    def written(self, y: Tensor, x: Tensor, gate: Tensor) -> Tensor:
        """y and x (..., heads, P), gate (..., inner) -> (..., width)."""
        out = (y + self.skip[:, None] * x).flatten(-2)
        result: Tensor = self.output(self.norm(out * silu(gate)))
        return result
