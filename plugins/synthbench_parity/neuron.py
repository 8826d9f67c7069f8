"""A neuron whose activation is a sine."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Neuron(nn.Module):
    """sin(w . x + b)."""

    def __init__(self, inputs: int, scale: float) -> None:
        """inputs: n; scale: of the initial weights."""
        super().__init__()
        bound = scale * inputs**-0.5
        self.phase = nn.Linear(inputs, 1)
        nn.init.uniform_(self.phase.weight, -bound, bound)
        nn.init.uniform_(self.phase.bias, -torch.pi, torch.pi)

    def forward(self, x: Tensor) -> Tensor:
        """(B, n) -> (B,)."""
        return torch.sin(self.phase(x)).squeeze(-1)
