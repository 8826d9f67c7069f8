"""How deep a string is at every position: exact shares by a dynamic programme."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shares:
    """Expected shares of the positions of a string at which a symbol is predicted.

    empty, between, full: by how many brackets are open: none, some, m. between_opened and
    full_opened: those of them at which the symbol just read is an opening bracket.
    """

    empty: float
    between: float
    full: float
    between_opened: float
    full_opened: float


def depth_shares(m: int, length: int) -> Shares:
    """Shares over `length` positions, of which the first has read END.

    The depth is a Markov chain: from 0 it stays (END) or rises with probability 1/2 each, from m
    it falls, from elsewhere it rises or falls with probability 1/2 each.
    """
    # Chances of each depth, apart for those that the symbol just read fell to and rose to.
    fell, rose = [1.0] + [0.0] * m, [0.0] * (m + 1)
    totals = [0.0] * 5
    for _ in range(length):
        chance = [f + r for f, r in zip(fell, rose, strict=True)]
        here = (chance[0], sum(chance[1:m]), chance[m], sum(rose[1:m]), rose[m])
        totals = [total + share / length for total, share in zip(totals, here, strict=True)]
        up = [0.0 if depth == m else 0.5 for depth in range(m + 1)]
        rose = [0.0] + [chance[depth] * up[depth] for depth in range(m)]
        down = [chance[depth] * (1 - up[depth]) for depth in range(m + 1)]
        fell = [down[0] + down[1], *down[2:], 0.0]
    return Shares(*totals)
