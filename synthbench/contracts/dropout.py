"""Dropout whose masks are functions of (seed, step), so replicas stay independent."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from synthbench.streams import Purpose, Stream


class Dropout(nn.Module):
    """Sets entries to zero with probability p while training, and scales the others up.

    In place of `nn.Dropout`, whose masks come from torch's global generator and would depend on
    the neighbours. The engine writes the replica's `train` seed and the step into `stream`
    before every step, so a mask is the same bits alone or in a stack, fresh or resumed. Use
    one module for each place, or the places share their masks. Source: Srivastava et al. 2014.
    """

    stream: Tensor
    """(3,) int64: two words of the seed, and the step."""

    def __init__(self, p: float) -> None:
        """p: share of entries set to zero, 0 <= p < 1."""
        super().__init__()
        if not 0 <= p < 1:
            raise ValueError(f"dropout must be at least 0 and below 1, got {p}")
        self.p = p
        self.place = 0
        self.register_buffer("stream", torch.zeros(3, dtype=torch.int64))

    def forward(self, x: Tensor) -> Tensor:
        """x in any shape; returned as it is in evaluation mode."""
        if not self.training or self.p == 0:
            return x
        rng = Stream(self.stream[:2], Purpose.NOISE, self.stream[2], call=self.place)
        kept = rng.bernoulli(1 - self.p, tuple(x.shape))
        return x * kept / (1 - self.p)


def number_dropouts(module: nn.Module) -> None:
    """Give every dropout in a module masks of its own."""
    places = [child for child in module.modules() if isinstance(child, Dropout)]
    for place, child in enumerate(places):
        child.place = place
