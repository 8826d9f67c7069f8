"""Whether a rerun agrees with what was recorded: to the bit, closely, or as far as rounding goes.

Costs and data are functions of configuration and seeds, so they must be equal everywhere.
Trajectories are equal to the bit on the same hardware and software. Elsewhere each replica has
the same weights and data too, and only its sums are rounded differently. So it is compared with
its own rerun, and where the two part, with reruns whose weights are changed in their last bits:
they show how far rounding alone carries this very replica.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from synthbench.leaderboard.verification.outcomes import Outcomes
from synthbench.leaderboard.verification.parting import departures
from synthbench.leaderboard.verification.rerun import Rerun
from synthbench.leaderboard.verification.same_bits import (
    other_bits,
    other_versions,
    replicas_of_same_bits,
)
from synthbench.leaderboard.verification.strays import (
    FALSE_STRAYS,
    stray_lines,
    strays_of,
    too_many,
)
from synthbench.metrics.trajectories import INDEX, Trajectories
from synthbench.records.schema import Record, ReferenceScore

REFERENCE_TOLERANCE = 1e-4
NUDGES = 2
"""How many reruns with other last bits a cell gets where not all replicas are close at once."""
MORE_NUDGES = 6
"""How many more those get that are farther from their rerun than these two explain."""

Nudged = Callable[[int, Sequence[int]], Trajectories]
"""Trains with other last bits, which depend on the number, the replicas at some places again."""


@dataclass(frozen=True)
class Agreement:
    """How a rerun of one cell compares with its record.

    how: "identical", "closely" or "seed by seed". deviation: the largest difference as a share of
    its column's range. failures: what does not agree, then what else differs and may be why
    (plugins, TF32); none where all agrees. times: (R, M) of replicas that were compared seed by
    seed, the claimed ones first, and strays: a line for each that left all of its reruns; tests
    over all cells take them together.
    """

    how: str
    deviation: float
    failures: tuple[str, ...]
    times: NDArray[np.float64] | None = None
    strays: tuple[str, ...] = ()


def compare_rerun(
    record: Record,
    recorded: Trajectories,
    rerun: Rerun,
    nudged: Nudged,
    tests: int,
) -> Agreement:
    """Hold a rerun against the record and its trajectories.

    nudged: is called only where the rerun is not close. tests: in how many cells this is asked,
    for Bonferroni's correction.
    """
    failures = [*_costs(record, rerun), *_data(record, rerun)]
    claimed, found = recorded.select(rerun.replicas), rerun.trajectories
    if not failures and _identical(claimed, found):
        return Agreement("identical", 0.0, ())
    how, deviation, times = "closely", np.inf, None
    strays: tuple[str, ...] = ()
    if unlike := _other_table(claimed, found):
        failures.append(unlike)
    else:
        failures += _other_bits(record, rerun, claimed)
        samples = int(record.protocol["evaluation_samples"])
        places = departures(claimed, found, (), samples)
        deviation = max(place.share for place in places)
        close = max(place.excess for place in places) <= 1 and _as_long(claimed, found)
        if not failures and not close:
            how = "seed by seed"
            every = range(len(rerun.replicas))
            nudges = [nudged(number, every) for number in range(1, NUDGES + 1)]
            places = departures(claimed, found, nudges, samples)
            more = partial(_more, nudged)
            far = strays_of(places, claimed, (found, *nudges), more, samples)
            strays = stray_lines(far, rerun.replicas)
            if too_many(len(strays), len(rerun.replicas), FALSE_STRAYS / tests):
                failures += strays
            outcomes = Outcomes.of((claimed, found, *nudges), record.target)
            failures += outcomes.failures(tests)
            times = outcomes.times
    if failures:
        failures += other_versions(record.environment, rerun.environment)
        failures += _coarser(record, rerun)
    return Agreement(how, deviation, tuple(failures), times, strays)


def _more(nudged: Nudged, places: Sequence[int]) -> list[Trajectories]:
    return [nudged(NUDGES + number, places) for number in range(1, MORE_NUDGES + 1)]


def _costs(record: Record, rerun: Rerun) -> list[str]:
    found = []
    for name in ("parameters", "step_flops"):
        claimed, counted = getattr(record.compute, name), getattr(rerun.facts, name)
        if claimed != counted:
            found.append(f"{name} is recorded as {claimed:,}, counted here: {counted:,}")
    state = record.compute.state_size
    if state is not None and state != rerun.state_size:
        found.append(f"state_size is recorded as {state:,}, here it is {rerun.state_size}")
    return found


def _data(record: Record, rerun: Rerun) -> list[str]:
    found = []
    for index, number in enumerate(rerun.replicas):
        replica = record.replicas[number]
        if replica.data != rerun.data[index]:
            found.append(f"the data of replica {number} are not those of its seeds")
        own = rerun.references[index]
        if not _references_agree(replica.references, own):
            found.append(f"the references of replica {number} score differently here")
    return found


def _references_agree(
    claimed: Mapping[str, Mapping[str, ReferenceScore]],
    found: Mapping[str, Mapping[str, ReferenceScore]],
) -> bool:
    return list(claimed) == list(found) and all(
        _close(claimed[name][metric], value)
        for name, scores in found.items()
        for metric, value in scores.items()
    )


def _close(claimed: ReferenceScore, found: ReferenceScore) -> bool:
    """Whether two scores agree, or two curves at every place; undefined is null."""
    one, two = (np.atleast_1d(np.array(level, float)) for level in (claimed, found))
    return one.shape == two.shape and np.allclose(
        one, two, rtol=REFERENCE_TOLERANCE, atol=1e-6, equal_nan=True
    )


def _identical(claimed: Trajectories, found: Trajectories) -> bool:
    names = claimed.table.column_names
    return names == found.table.column_names and all(
        claimed.table[name].equals(found.table[name]) for name in names if name != "replica"
    )


def _other_table(claimed: Trajectories, found: Trajectories) -> str | None:
    """Whether columns or evaluation points are others, which no rounding changes."""
    names = (claimed.table.column_names, found.table.column_names)
    if names[0] != names[1]:
        odd = sorted(set(names[0]) ^ set(names[1]))
        return (
            f"the columns are not those that are measured here: {', '.join(odd) or 'their order'}"
        )
    for name in INDEX[1:]:
        for one, other in zip(claimed.by_replica(name), found.by_replica(name), strict=True):
            count = min(len(one), len(other))
            if not np.array_equal(one[:count], other[:count]):
                return f"{name} is counted differently here"
    return None


def _as_long(claimed: Trajectories, found: Trajectories) -> bool:
    """Whether all replicas end where their reruns do."""
    lengths = [[len(steps) for steps in each.by_replica("step")] for each in (claimed, found)]
    return lengths[0] == lengths[1]


def _other_bits(record: Record, rerun: Rerun, claimed: Trajectories) -> list[str]:
    """Of replicas that were trained as they are here, on the same hardware and software."""
    places = replicas_of_same_bits(record, rerun)
    return [
        f"replica {rerun.replicas[place]} has other bits on the same hardware and software: first "
        f"in {name}, at step {step}"
        for place, name, step in other_bits(claimed, rerun.trajectories, places)
    ]


def _coarser(record: Record, rerun: Rerun) -> list[str]:
    """Where one of them was computed in TF32, which has 13 bits less than what others are."""
    claimed, here = record.environment.tf32 or (), rerun.environment.tf32 or ()
    if claimed == here:
        return []
    parts = [" and ".join(part) or "nothing" for part in (claimed, here)]
    return [
        f"TF32, which rounds far more coarsely than float32, is recorded for {parts[0]}, and used "
        f"for {parts[1]} here: verify where it is the same"
    ]
