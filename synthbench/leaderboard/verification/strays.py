"""Replicas that go where none of their reruns goes: how many of them chance explains.

Rounding can act by single events: a sample crosses the kink of a unit in one training of a replica
and in no other, and from there on the two are apart. So one replica that leaves all of its reruns
proves nothing, and several do.
"""

from __future__ import annotations

from collections.abc import Sequence

from scipy.stats import binom

from synthbench.leaderboard.verification.parting import Departure

STRAY = 0.002
"""Share of honest replicas that leave all of their reruns, at the most."""
FALSE_STRAYS = 2e-4
"""How often honest submissions fail by it, over all cells; and by those of all cells together."""


def too_many(strays: int, replicas: int, level: float) -> bool:
    """Whether so many of the compared replicas leave their reruns less often than in `level`."""
    return strays > 0 and float(binom.sf(strays - 1, replicas, STRAY)) < level


def stray_lines(places: Sequence[Departure], replicas: Sequence[int]) -> tuple[str, ...]:
    """One line for each replica that is where rounding carries none of its reruns.

    replicas: their numbers in the record.
    """
    return tuple(
        f"replica {replicas[place.replica]} leaves its rerun where rounding does not carry it: "
        f"{place.column} at step {place.step} is {place.share:.2g} of its range away, "
        f"{place.excess:.2g} times what is explained"
        for place in places
        if place.excess > 1
    )
