"""A network for every interface of the tasks, small enough for tests."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import synthbench as sb

WIDTH = 16


class SmallNetwork(nn.Module):
    """Causal where the task is: every place reads itself and the mean of what came so far.

    An output for the whole example reads all places side by side.
    """

    def __init__(self, interface: sb.Interface) -> None:
        super().__init__()
        given, wanted = interface.input, interface.output
        self.symbols = given.vocabulary if isinstance(given, sb.Tokens) else None
        in_sequence = isinstance(given, sb.Tokens | sb.RealSequence)
        size = self.symbols or given.shape[-1]
        self.at_places = in_sequence and wanted.positions is not None
        self.causal = wanted.causal
        places = 2 if self.at_places else (given.shape[0] if in_sequence else 1)
        shape = wanted.shape[1:] if self.at_places else wanted.shape
        self.shape = tuple(shape)
        out = 1
        for axis in self.shape:
            out *= axis
        self.read = nn.Sequential(nn.Linear(places * size, WIDTH), nn.ReLU(), nn.Linear(WIDTH, out))

    def forward(self, x: Tensor) -> Tensor:
        """(B, ...) -> (B, ...) as the interface says."""
        if self.symbols:
            x = sb.one_hot(x, self.symbols, self.read[0].weight.dtype)
        if self.at_places:
            count = torch.arange(1, x.shape[1] + 1, device=x.device)[:, None]
            seen = x.cumsum(dim=1) / count if self.causal else x.mean(1, True).expand_as(x)
            x = torch.cat([x, seen], dim=-1)
            return self.read(x).reshape(*x.shape[:2], *self.shape)
        return self.read(x.flatten(1)).reshape(x.shape[0], *self.shape)
