"""Entries that say the same, or contradict one another: marks that only a whole board can give."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from synthbench.hashing import content_hash
from synthbench.leaderboard.standings.entry import MeasuredSubmission
from synthbench.leaderboard.submissions.marks import Mark

ALIKE = 0.9
"""Share of the solved replicas whose times must be equal for a copy: a few may be disguised."""
FEWEST_SOLVED, FEWEST_TIMES = 6, 4
"""Solved replicas and different times below which equal ones say nothing."""


def marks_among(
    measured: Sequence[MeasuredSubmission], reference_entry: str | None
) -> list[tuple[Mark, ...]]:
    """Of each submission, what it is marked with because of the others.

    Who was first no file can prove, so both of a pair are marked; only the suite's own reference
    entry, which its file names by this hash, never is.
    """
    plans = [content_hash({"cells": [cell.plan for cell in one.cells]}) for one in measured]
    times = _times(measured)
    found: list[tuple[Mark, ...]] = []
    for index, own in enumerate(measured):
        alike = _equal_times(times, index)
        twins = {n for n, plan in enumerate(plans) if plan == plans[index] and n != index}
        others = sorted(twins | set(np.flatnonzero(alike).tolist()))
        marks = [_mark(measured[n].submission.name, n in twins, bool(alike[n])) for n in others]
        found.append(() if own.digest == reference_entry else tuple(marks))
    return found


def _mark(name: str, same_plan: bool, same_times: bool) -> Mark:
    if same_plan and not same_times:
        return Mark(
            "contradiction",
            f'"{name}" is the same model on the same seeds, with other times: verify says which '
            "of the two holds",
        )
    what = "the same model on the same seeds" if same_plan else "another model"
    return Mark("copy", f'it has the times of "{name}", {what}')


def _times(measured: Sequence[MeasuredSubmission]) -> NDArray[np.float64]:
    """(S, C R) samples to target, NaN where unsolved."""
    reached = [[cell.times.reached for cell in one.cells] for one in measured]
    rows = [
        np.concatenate([np.where(r.solved, r.times, np.nan) for r in cells]) for cells in reached
    ]
    return np.stack(rows) if rows else np.empty((0, 0))


def _equal_times(times: NDArray[np.float64], index: int) -> NDArray[np.bool_]:
    """(S,) whether each has the times of one of them, as far as chance does not explain it."""
    own = times[index]
    solved = np.isfinite(own)
    if solved.sum() < FEWEST_SOLVED or len(np.unique(own[solved])) < FEWEST_TIMES:
        return np.zeros(len(times), bool)
    either = solved | np.isfinite(times)
    shared = (times == own).sum(axis=1) / either.sum(axis=1)
    alike = shared >= ALIKE
    alike[index] = False
    return np.asarray(alike)
