"""Which entry the ratios of a board are over: the suite's own, never one that calls itself so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synthbench.leaderboard.standings.entry import MeasuredSubmission
from synthbench.plan.suite import Suite


@dataclass(frozen=True)
class Base:
    """The entry that ratios are over, None where they are over the budgets.

    note: why that is, where an entry of the reference model is there or is missing; else empty.
    """

    entry: MeasuredSubmission | None
    note: str = ""


def find_base(suite: Suite, measured: Sequence[MeasuredSubmission]) -> Base:
    """The reference of a board.

    A suite that names its reference entry by the hash of its `submission.json` has that one and no
    other. One that does not has the entry of the reference model; where several say that they are,
    only what all of them agree on can be the base: the same model on the same seeds has the same
    times, so that entries which differ are not all true, and no file says which is.
    """
    candidates = [one for one in measured if one.is_reference]
    pinned = suite.reference_entry
    if pinned is not None:
        entry = next((one for one in candidates if one.digest == pinned), None)
        return Base(entry) if entry else Base(None, _missing(pinned) if measured else "")
    if not candidates or _agree(candidates):
        return Base(next(iter(candidates), None))
    names = ", ".join(one.submission.name for one in candidates)
    return Base(
        None,
        f"{names} are all of the reference model and differ on the same seeds: none is the base "
        "until the suite names one by its hash (reference_entry)",
    )


def _missing(pinned: str) -> str:
    return (
        f"the suite's reference entry (submission.json of SHA-256 {pinned[:12]}...) is not here: "
        "ratios are over the budgets"
    )


def _agree(candidates: Sequence[MeasuredSubmission]) -> bool:
    """Whether all have the same times and prices on every cell."""
    first, *others = candidates
    return all(
        one.times.flops_per_sample == two.times.flops_per_sample
        and np.array_equal(one.times.reached.times, two.times.reached.times)
        and np.array_equal(one.times.reached.solved, two.times.reached.solved)
        for other in others
        for one, two in zip(first.cells, other.cells, strict=True)
    )
