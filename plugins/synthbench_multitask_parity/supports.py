"""Supports of the subtasks."""

from __future__ import annotations

from math import comb

import torch
from torch import Tensor

from synthbench import Stream

MOST_LISTED = 2**18


def distinct_subsets(rng: Stream, n: int, k: int, count: int) -> Tensor:
    """`count` subsets of k out of n, uniform and in a random order: (count, k), rows ascending.

    No two are the same where there are at most 2^18 to choose from (the paper's have 161,700).
    Among more they are drawn independently, and of 500 on average less than one pair coincides.
    """
    subsets = comb(n, k)
    if subsets > MOST_LISTED:
        return rng.choice(n, k, (count,))
    listed = torch.combinations(torch.arange(n, device=rng.device), k)
    return listed[rng.permutation(subsets)[:count]]
