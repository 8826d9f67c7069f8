"""Maps from contexts to contexts, each packed into one whole number."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

MOST_IN_A_BYTE = 4
MOST_PACKED = 16
"""Contexts that fit into an int64, four bits each."""


@dataclass(frozen=True)
class PackedMaps:
    """One map for each of L steps of B chains.

    numbers: (L, B). Bits `width` c to `width` (c + 1) - 1 hold the context that context c goes
    to: a byte for up to 4 contexts, an int64 for up to 16, so that arithmetic on whole numbers
    moves all contexts at once. Time comes first, since halves of it are what is composed.
    """

    numbers: Tensor
    contexts: int

    @classmethod
    def pack(cls, successors: list[Tensor]) -> PackedMaps:
        """From where each context goes, (B, L) each. Raises ValueError beyond 16 contexts."""
        contexts = len(successors)
        if contexts > MOST_PACKED:
            raise ValueError(f"at most {MOST_PACKED} contexts can be packed, got {contexts}")
        dtype = torch.uint8 if contexts <= MOST_IN_A_BYTE else torch.int64
        fields = [successor.to(dtype) for successor in successors]
        return cls(_joined(fields, _width(contexts)).mT.contiguous(), contexts)

    def __len__(self) -> int:
        """Steps."""
        return self.numbers.shape[0]

    def __getitem__(self, steps: slice) -> PackedMaps:
        """The maps of some steps."""
        return PackedMaps(self.numbers[steps], self.contexts)

    def images(self, states: Tensor) -> Tensor:
        """Where the maps send contexts: (L, B), or (B,) for all steps -> (L, B)."""
        width = _width(self.contexts)
        return (self.numbers >> (states.to(self.numbers.dtype) * width)) & ((1 << width) - 1)

    def then(self, later: PackedMaps) -> PackedMaps:
        """One map for each pair of an earlier and a later one."""
        width = _width(self.contexts)
        mask = (1 << width) - 1
        middle = [(self.numbers >> (width * place)) & mask for place in range(self.contexts)]
        return PackedMaps(_joined([later.images(each) for each in middle], width), self.contexts)


def composed(maps: PackedMaps) -> PackedMaps:
    """The map of all steps, of length 1: log2(L) compositions, each of half as many maps."""
    while len(maps) > 1:
        pairs = len(maps) // 2
        halved = maps[0 : 2 * pairs : 2].then(maps[1::2])
        last = maps.numbers[2 * pairs :]
        maps = PackedMaps(torch.cat([halved.numbers, last]), maps.contexts)
    return maps


def path(maps: PackedMaps, start: Tensor) -> Tensor:
    """The context after every step: (B,) -> (L, B).

    Pairs of steps are composed until one is left; on the way back each pair's first step is
    taken from the state before it. Source: the parallel prefix of Ladner & Fischer 1980.
    """
    if len(maps) == 1:
        return maps.images(start)
    pairs = len(maps) // 2
    firsts, seconds = maps[0::2], maps[1::2]
    after_seconds = path(firsts[:pairs].then(seconds), start)
    before = torch.cat([start.to(after_seconds.dtype)[None], after_seconds])[: len(firsts)]
    after_firsts = firsts.images(before)
    both = torch.stack([after_firsts[:pairs], after_seconds], dim=1).flatten(0, 1)
    return torch.cat([both, after_firsts[pairs:]])


def _width(contexts: int) -> int:
    return 2 if contexts <= MOST_IN_A_BYTE else 4


def _joined(fields: list[Tensor], width: int) -> Tensor:
    """Fields side by side in one number, the first in the lowest bits."""
    number = fields[0]
    for place in range(1, len(fields)):
        number = number | (fields[place] << (width * place))
    return number
