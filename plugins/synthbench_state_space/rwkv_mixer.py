"""RWKV-6's time mixing."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, silu

from synthbench_state_space.wkv import wkv, wkv_step

State = tuple[Tensor, Tensor]
"""The previous input (B, width); the heads' matrices (B, heads, d, d)."""

LARGEST = 4.0
"""Of log(-log w): w = exp(-exp(4)) is zero in float32, and its logarithm is still exact."""


class RWKVMixer(nn.Module):
    """Receptance, keys, values, decays and gates of shifted inputs, mixed by `wkv`."""

    def __init__(self, width: int, heads: int, rank: int) -> None:
        """heads: that share the width; rank: of what makes shifts and decays depend on data."""
        super().__init__()
        self.heads = heads
        self.shift = TokenShift(width, rank)
        self.read, self.key, self.value, self.gate = (
            nn.Linear(width, width, bias=False) for _ in range(4)
        )
        # From slow to quick over the channels of a head, as the released initialization.
        spread = torch.linspace(0, 1, width // heads).repeat(heads)
        self.decay = nn.Parameter(-6 + 5 * spread)
        self.decay_by_input = nn.Sequential(
            nn.Linear(width, rank, bias=False), nn.Tanh(), nn.Linear(rank, width, bias=False)
        )
        self.bonus = nn.Parameter(torch.rand(heads, width // heads))
        self.norm = nn.GroupNorm(heads, width)
        self.output = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        before = pad(x, (0, 0, 1, -1))
        *parts, gate = self.parts(x, before)
        # Heads before positions: (B, heads, T, d).
        mixed = wkv(*(each.transpose(1, 2) for each in parts), self.bonus)
        return self.written(mixed.transpose(1, 2), gate)

    def initial_state(self, batch: int) -> State:
        """The state before the first position."""
        weight = self.output.weight
        width, size = self.output.in_features, self.bonus.shape[-1]
        return weight.new_zeros(batch, width), weight.new_zeros(batch, self.heads, size, size)

    def step(self, x: Tensor, state: State) -> tuple[Tensor, State]:
        """One position, (B, width) -> (B, width), and the state after it."""
        before, matrices = state
        *parts, gate = self.parts(x, before)
        mixed, matrices = wkv_step(*parts, self.bonus, matrices)
        return self.written(mixed, gate), (x, matrices)

    def parts(self, x: Tensor, before: Tensor) -> tuple[Tensor, ...]:
        """r, k, v and log w, each (..., heads, d), and the gate (..., width)."""
        read, key, value, decay, gate = self.shift(x, before)
        log_decay = -(self.decay + self.decay_by_input(decay)).clamp(max=LARGEST).exp()
        found = self.read(read), self.key(key), self.value(value), log_decay
        return (*(each.unflatten(-1, (self.heads, -1)) for each in found), silu(self.gate(gate)))

    def written(self, mixed: Tensor, gate: Tensor) -> Tensor:
        """Outputs of the heads (..., heads, d), gate (..., width) -> (..., width)."""
        normed = self.norm(mixed.reshape(-1, gate.shape[-1])).reshape(gate.shape)
        result: Tensor = self.output(gate * normed)
        return result


class TokenShift(nn.Module):
    """Five mixtures of an input and the one before it, in shares that depend on both.

    x + (x' - x) (m + tanh((x + (x' - x) m_0) A) B) for each of the five (Peng et al. 2024, section
    4.1).
    """

    def __init__(self, width: int, rank: int) -> None:
        """rank: of A B."""
        super().__init__()
        self.shares = nn.Parameter(torch.rand(5, width))
        self.first_share = nn.Parameter(torch.rand(width))
        self.down = nn.Parameter(torch.randn(width, 5 * rank) * 0.01)
        self.up = nn.Parameter(torch.randn(5, rank, width) * 0.01)

    def forward(self, x: Tensor, before: Tensor) -> tuple[Tensor, ...]:
        """x and the input before it, (..., width) -> five of (..., width)."""
        change = before - x
        found = torch.tanh((x + change * self.first_share) @ self.down).unflatten(-1, (5, -1))
        shares = self.shares + torch.einsum("...fr,frw->...fw", found, self.up)
        return (x[..., None, :] + change[..., None, :] * shares).unbind(-2)
