"""SplitMix64: many words from one 64-bit key, at a tenth of Philox's operations.

Source: Steele, Lea & Flood 2014, "Fast splittable pseudorandom number generators" (OOPSLA),
figure 14; constants of Vigna's splitmix64.c.
"""

from __future__ import annotations

import torch
from torch import Tensor

GOLDEN = 0x9E3779B97F4A7C15 - 2**64
MULTIPLIER_1 = 0xBF58476D1CE4E5B9 - 2**64
MULTIPLIER_2 = 0x94D049BB133111EB - 2**64


def splitmix64(seed: Tensor, count: int) -> Tensor:
    """The first `count` outputs of the generator: (count,) int64, the bits of unsigned words.

    seed: () int64. torch has no unsigned arithmetic: products wrap modulo 2^64 with the right
    bits, and the masks drop the sign that `>>` extends.
    """
    return mixed(torch.arange(1, count + 1, device=seed.device) * GOLDEN + seed)


def mixed(state: Tensor) -> Tensor:
    """The output for a state of the generator, elementwise on int64."""
    state = (state ^ _shifted(state, 30)) * MULTIPLIER_1
    state = (state ^ _shifted(state, 27)) * MULTIPLIER_2
    return state ^ _shifted(state, 31)


def _shifted(state: Tensor, bits: int) -> Tensor:
    return (state >> bits) & ((1 << (64 - bits)) - 1)
