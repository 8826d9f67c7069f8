"""Replicas that go where none of their reruns goes: how many of them chance explains.

Rounding can act by single events: a sample crosses the kink of a unit in one training of a replica
and in no other, and from there on the two are apart. So one replica that leaves all of its reruns
proves nothing, and several do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from scipy.stats import binom

from synthbench.leaderboard.verification.parting import Departure, departures
from synthbench.metrics.trajectories import Trajectories

STRAY = 0.002
"""Share of honest replicas that leave all of their reruns, at the most."""
FALSE_STRAYS = 2e-4
"""How often honest submissions fail by it, over all cells; and by those of all cells together."""


def too_many(strays: int, replicas: int, level: float) -> bool:
    """Whether so many of the compared replicas leave their reruns less often than in `level`."""
    return strays > 0 and float(binom.sf(strays - 1, replicas, STRAY)) < level


def strays_of(
    places: Sequence[Departure],
    claimed: Trajectories,
    reruns: Sequence[Trajectories],
    more: Callable[[Sequence[int]], Sequence[Trajectories]],
    samples: int,
) -> list[Departure]:
    """Of replicas that leave their first reruns, where they are farthest from all that they get.

    places: where each is farthest from the first ones. claimed, reruns: of the same replicas in
    the same order. more: further reruns of those at some places. samples: held-out ones.
    """
    far = [place.replica for place in places if place.excess > 1]
    if not far:
        return []
    own, again, *nudged = (
        each.select([each.replicas()[place] for place in far]) for each in (claimed, *reruns)
    )
    last = departures(own, again, [*nudged, *more(far)], samples)
    return [replace(place, replica=far[place.replica]) for place in last]


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
