"""What replicas came to in several trainings, and whether the claimed one is the odd one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthbench.leaderboard.verification.odd_one import odd_one_p_value
from synthbench.metrics.time_to_target import Target, times_to_target
from synthbench.metrics.trajectories import INDEX, Trajectories

Array = NDArray[np.float64]

FALSE_TIMES, FALSE_POOLED_TIMES, FALSE_FINALS = 2e-4, 2e-4, 2e-4
"""How often honest submissions fail, over all cells: by the times of a cell, by those of all cells
together, by final values."""
TIED = 1e-5
"""Relative difference up to which a claimed last value counts as that of the rerun: the kernels of
a machine may round the same way in every replica, which ranks would see."""


@dataclass(frozen=True)
class Outcomes:
    """What R replicas came to in M trainings, the claimed one first.

    times: (R, M) samples to target, inf where it was not reached. finals: column -> (R, M), its
    last value, of a curve the mean over its places.
    """

    times: Array
    finals: dict[str, Array]

    @classmethod
    def of(cls, trainings: Sequence[Trajectories], target: Target) -> Outcomes:
        """Of trajectories of the same replicas in the same order."""
        times = []
        for each in trainings:
            reached = times_to_target(each, target)
            times.append(np.where(reached.solved, reached.times, np.inf))
        names = trainings[0].table.column_names[len(INDEX) :]
        finals = {
            name: np.stack([_last(each, name) for each in trainings], axis=1) for name in names
        }
        return cls(np.stack(times, axis=1), finals)

    def failures(self, tests: int) -> list[str]:
        """What other last bits do not explain; tests: in how many cells this is asked."""
        found = []
        if (shift := shifted_times(self.times, FALSE_TIMES / tests)) is not None:
            found.append(shift)
        level = FALSE_FINALS / tests / len(self.finals)
        for name, values in self.finals.items():
            p = _finals_p_value(values)
            if p < level:
                found.append(
                    f"the last values of {name} differ from those of the same seeds here "
                    f"(p = {p:.1g}, Quade's test)"
                )
        return found


def shifted_times(times: Array, level: float) -> str | None:
    """What a test at this level finds wrong with the first of M times of each replica, if anything.

    times: (R, M), as for `times_p_value`.
    """
    p = times_p_value(times)
    if p >= level:
        return None
    return (
        f"the times to target are {direction(times)} than those of the same seeds here "
        f"(p = {p:.1g}, Quade's test)"
    )


def times_p_value(times: Array) -> float:
    """Whether the first of M times of each replica is the odd one; (R, M), inf where censored.

    Replicas that no training solved, or that all solved at once, say nothing.
    """
    finite = np.where(np.isfinite(times), times, np.nan)
    with np.errstate(invalid="ignore"):
        latest, earliest = np.nanmax(_or_one(finite), axis=1), np.nanmin(_or_one(finite), axis=1)
    spreads = np.log(latest / earliest)
    censored = ~np.isfinite(times)
    # One that stays unsolved is farther away than any that does not.
    spreads[censored.any(axis=1) & ~censored.all(axis=1)] = np.inf
    return odd_one_p_value(times, spreads)


def _or_one(times: Array) -> Array:
    """Rows of which nothing is known as ones."""
    return np.where(np.isnan(times).all(axis=1, keepdims=True), 1.0, times)


def direction(times: Array) -> str:
    """Which way the claimed ones are off, by how much: `12% shorter`; or `otherwise`."""
    both = np.isfinite(times[:, 0]) & np.isfinite(times[:, 1:]).any(axis=1)
    if not both.any():
        return "other"
    own = np.log(times[both, 0])
    others = np.log(np.nanmedian(np.where(np.isfinite(times), times, np.nan)[both, 1:], axis=1))
    ratio = float(np.exp(np.median(own - others)))
    return f"{abs(1 - ratio):.0%} {'shorter' if ratio < 1 else 'longer'}" if ratio != 1 else "other"


def _finals_p_value(values: Array) -> float:
    own, here = values[:, 0], values[:, 1]
    tied = np.isclose(own, here, rtol=TIED, atol=0)
    values = np.column_stack([np.where(tied, here, own), values[:, 1:]])
    known = np.nan_to_num(values, nan=np.inf, posinf=np.inf, neginf=-np.inf)
    finite = np.isfinite(known)
    low = np.where(finite, known, np.inf).min(axis=1, initial=np.inf)
    high = np.where(finite, known, -np.inf).max(axis=1, initial=-np.inf)
    spreads = np.where(finite.all(axis=1), high - low, np.inf)
    return odd_one_p_value(known, np.nan_to_num(spreads, nan=0.0, posinf=np.inf))


def _last(trajectories: Trajectories, name: str) -> Array:
    last = np.array([values[-1] for values in trajectories.by_replica(name)], float)
    return last if last.ndim == 1 else np.nanmean(_or_one(last), axis=1)
