"""Causal graphs: the parent of each place, or -1 for a root, (places,) int64."""

from __future__ import annotations

import torch
from torch import Tensor

from synthbench import Stream


def random_forest(rng: Stream, places: int) -> Tensor:
    """Every place has a parent among those before or none, all alike: place i one of i + 1."""
    choices = torch.arange(1, places + 1, device=rng.device)
    # The high word of a 32-bit word times the number of choices.
    return ((rng.words(places) * choices) >> 32) - 1


def chain(rng: Stream, places: int) -> Tensor:
    """A Markov chain: every place follows the one before."""
    return torch.arange(-1, places - 1, device=rng.device)


def pairs(rng: Stream, places: int) -> Tensor:
    """Places 1, 3, 5, ... follow the one before; the others are roots."""
    before = torch.arange(-1, places - 1, device=rng.device)
    return torch.where(before % 2 == 0, before, -1)
