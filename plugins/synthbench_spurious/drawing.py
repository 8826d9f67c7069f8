"""Inputs of a feature that take a wanted value, uniformly."""

from __future__ import annotations

from math import comb

import torch
from torch import Tensor

from synthbench import Stream
from synthbench_spurious.features import Kind


def signs_with_value(kind: Kind, signs: Tensor, wanted: Tensor, rng: Stream) -> Tensor:
    """Coordinates (B, d), uniform among those whose feature is `wanted` (B,), -1 or +1.

    signs: (B, d) uniform ones, which a parity keeps but for the sign of the first coordinate.
    """
    if kind == "parity":
        wrong = signs.prod(dim=1) != wanted
        first = torch.where(wrong, -signs[:, 0], signs[:, 0])
        return torch.cat([first[:, None], signs[:, 1:]], dim=1)
    steps = steps_with_majority(signs.shape[1], wanted, rng).to(signs.dtype)
    # Each coordinate is the ratio, for signs the product, of two successive steps.
    return torch.cat([steps[:, :1], steps[:, 1:] * steps[:, :-1]], dim=1)


def steps_with_majority(degree: int, wanted: Tensor, rng: Stream) -> Tensor:
    """The steps of a staircase whose majority is `wanted`: (B, degree), -1 or +1.

    How many are +1 is binomial, on the wanted side of the middle; which, uniform.
    """
    size = wanted.shape[0]
    counts = torch.tensor([comb(degree, m) for m in range(degree + 1)], dtype=torch.float64)
    upper = torch.arange(degree + 1) * 2 >= degree
    above, below = (counts * side for side in (upper, ~upper))
    drawn = [
        rng.categorical((side / side.sum()).to(wanted.device), (size,)) for side in (above, below)
    ]
    positive = torch.where(wanted > 0, *drawn)
    return torch.where(rng.permutation(degree, (size,)) < positive[:, None], 1.0, -1.0)
