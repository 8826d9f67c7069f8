"""Philox4x32-10, the counter-based generator behind every random number.

Source: Salmon, Moraes, Dror & Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"
(SC'11), section 3.3; known-answer vectors from the authors' Random123 library.
"""

from __future__ import annotations

import torch
from torch import Tensor

ROUNDS = 10
MULTIPLIER_0 = 0xD2511F53
MULTIPLIER_1 = 0xCD9E8D57
WEYL_0 = 0x9E3779B9
WEYL_1 = 0xBB67AE85
MASK = 0xFFFFFFFF
SETTLED = 3
"""Rounds after which every word depends on the whole counter and key, and so has their broadcast
shape: from then on it can be written in place, which saves a third of the memory traffic."""

Words4 = tuple[Tensor, Tensor, Tensor, Tensor]


def philox4x32(counter: Words4, key: tuple[Tensor, Tensor]) -> Words4:
    """Encrypt a 128-bit counter under a 64-bit key into four uniform 32-bit words.

    counter, key: int64 tensors that broadcast together, each holding values in [0, 2^32).
    Returns four int64 tensors of the broadcast shape, values in [0, 2^32).

    torch has no unsigned arithmetic, so words live in int64: a 32 x 32 bit product wraps
    modulo 2^64 with the right bits. What lies above a word's 32 bits is cut off only where it
    would matter, before a product and at the end; so round keys, whose low 32 bits alone are
    used, are summed up without being cut off.
    """
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for round_ in range(ROUNDS):
        product_0 = c0 * MULTIPLIER_0
        product_1 = c2 * MULTIPLIER_1
        if round_ < SETTLED:
            c0 = ((product_1 >> 32) ^ c1 ^ k0) & MASK
            c2 = ((product_0 >> 32) ^ c3 ^ k1) & MASK
        else:
            c0 = (product_1 >> 32).bitwise_xor_(c1).bitwise_xor_(k0).bitwise_and_(MASK)
            c2 = (product_0 >> 32).bitwise_xor_(c3).bitwise_xor_(k1).bitwise_and_(MASK)
        c1, c3 = product_1, product_0
        k0 = k0 + WEYL_0
        k1 = k1 + WEYL_1
    return c0, c1 & MASK, c2, c3 & MASK


def seed_to_key(seed: int) -> tuple[int, int]:
    """Split a 64-bit seed into the low and high words of a Philox key.

    Raises ValueError for a seed outside [0, 2^64).
    """
    if not 0 <= seed < 2**64:
        raise ValueError(f"seed must be between 0 and 2^64 - 1, got {seed}")
    return seed & MASK, seed >> 32


def keys_of(seeds: list[int]) -> Tensor:
    """Philox keys of many seeds: (R, 2) int64, low word first."""
    return torch.tensor([seed_to_key(seed) for seed in seeds], dtype=torch.int64).reshape(-1, 2)
