"""Length generalization: the longest of some tested lengths that a replica solves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthbench.metrics.estimate import Estimate
from synthbench.metrics.survival import kaplan_meier_median

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class LongestSolved:
    """Median over the replicas of the longest length solved, and the longest that was tested.

    length: of a replica, the longest up to which it solves every tested one, 0 for none; Kaplan-
    Meier, since those that solve the longest tested are censored there: None where most of them do.
    """

    length: Estimate
    tested: int


def longest_solved(met: Mapping[int, Bools]) -> LongestSolved:
    """met: length -> (R,) whether each replica's score there, at its end, meets the target."""
    lengths = sorted(met)
    solved = np.array([met[length] for length in lengths])
    # True up to the first length that is not solved.
    unbroken = np.logical_and.accumulate(solved, axis=0)
    longest = np.array([0, *lengths])[unbroken.sum(axis=0)].astype(float)
    failed = ~unbroken[-1]
    return LongestSolved(kaplan_meier_median(longest, failed), lengths[-1])
