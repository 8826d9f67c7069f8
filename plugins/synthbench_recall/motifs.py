"""Streams of keys and values of several tokens."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from synthbench import Stream
from synthbench_recall.matching import latest


class Motifs(NamedTuple):
    """Runs of different tokens: tokens (B, P, m), of which the first size (B, P) count."""

    tokens: Tensor
    size: Tensor

    @property
    def own(self) -> Tensor:
        """The tokens, and -1 behind the end of each: (B, P, m)."""
        place = torch.arange(self.tokens.shape[2], device=self.tokens.device)
        return torch.where(place < self.size[:, :, None], self.tokens, -1)


def draw(rng: Stream, symbols: int, most: int, size: int, pairs: int) -> Motifs:
    """Motifs of uniform size 1..most, each uniform among those of different tokens."""
    tokens = rng.permutation(symbols, (size, pairs))[:, :, :most]
    return Motifs(tokens, 1 + rng.integers(most, (size, pairs)))


def first_occurrences(keys: Motifs) -> Tensor:
    """The first pair with the same key: (B, P) int64, its own number where it is new."""
    own = keys.own
    same = (own[:, :, None] == own[:, None, :]).all(dim=-1)
    pair = torch.arange(own.shape[1], device=own.device)
    return torch.where(same, pair, own.shape[1]).amin(dim=-1)


class Written(NamedTuple):
    """A stream of pairs, token by token, each (B, L).

    tokens; answers: whether a token is the value's of a key that has occurred; key_size: of its
    pair; gap: to the same token of the pair's latest earlier occurrence, or 0.
    """

    tokens: Tensor
    answers: Tensor
    key_size: Tensor
    gap: Tensor


def write(keys: Motifs, values: Motifs, offset: int, length: int) -> Written:
    """Pair after pair, cut off at a length; values of a key are those of its first occurrence.

    offset: added to values, so that they differ from keys.
    """
    first = first_occurrences(keys)
    value = values.tokens.gather(1, first[:, :, None].expand_as(values.tokens)) + offset
    sizes = keys.size + values.size.gather(1, first)
    end = sizes.cumsum(dim=1)
    position = torch.arange(length, device=end.device)
    # The pair of every position: how many have ended there. Two tokens a pair at the least.
    pair = (end[:, :, None] <= position).sum(dim=1)
    key_size = keys.size.gather(1, pair)
    inside = position - (end - sizes).gather(1, pair)
    row = torch.cat([keys.tokens, value], dim=2).flatten(1)
    most = keys.tokens.shape[2]
    column = torch.where(inside < key_size, inside, most + inside - key_size)
    tokens = row.gather(1, pair * (most + value.shape[2]) + column)
    before = latest(first[:, :, None] == first[:, None, :])
    repeated = (before >= 0).gather(1, pair)
    gaps = (end - sizes) - (end - sizes).gather(1, before.clamp(min=0))
    gap = torch.where(repeated, gaps.gather(1, pair), 0)
    return Written(tokens, repeated & (inside >= key_size), key_size, gap)
