"""Where a claimed curve leaves its rerun, and whether rounding can have carried it there.

Two trainings of one replica begin with the same weights and see the same data. They differ by
rounding, which training magnifies as it goes; in some it never becomes visible, in others they
have nothing in common after a thousand steps. How fast is measured for each replica: it is
trained again with weights that are changed in their last bits (`nudge`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthbench.metrics.trajectories import INDEX, Trajectories

Array = NDArray[np.float64]

GROWN = 30.0
"""How many times as far as between trainings with other last bits a claim may lie. Measured: honest
claims from other hardware came to 0.84 of it at the most, of 1,568 in seven cells."""
BEFORE, AFTER = 4, 2
"""Evaluation points around one, of which the farthest counts."""
LOSSES, SCORES, PROBES = 1e-3, 0.01, 0.05
"""What is always allowed, as a share of a column's range. Scores count samples; a probe may look at
one weight, which steps of Adam's throw by their whole length where its gradient is near zero."""
FLIPPED = 2
"""Held-out samples that may fall on the other side of a threshold, in all but losses."""
FIRST_COLUMN = len(INDEX)


@dataclass(frozen=True)
class Departure:
    """Where one replica is farthest from what rounding explains.

    excess: the difference as a multiple of what is allowed, so above 1 it is not explained.
    share: the difference as a share of the column's range.
    """

    replica: int
    column: str
    step: int
    excess: float
    share: float


def departures(
    claimed: Trajectories, again: Trajectories, nudged: Sequence[Trajectories], samples: int
) -> list[Departure]:
    """For each replica the place where the claim is farthest from its rerun, columns all alike.

    claimed, again, nudged: of the same replicas in the same order, with the same columns; with
    no nudged ones, nothing but what is always allowed is. samples: held-out ones.
    """
    worst: list[Departure | None] = [None] * len(again.replicas())
    steps = again.by_replica("step")
    for name in again.table.column_names[FIRST_COLUMN:]:
        curves = [each.by_replica(name) for each in (claimed, again, *nudged)]
        for index, (own, other, *others) in enumerate(zip(*curves, strict=True)):
            scale = _scale(other)
            found = _distances(own, other)
            allowed = _floor(name, samples) * scale + GROWN * _carried(other, others, len(found))
            with np.errstate(invalid="ignore"):
                excess = np.where(found == 0, 0.0, found / allowed)
            excess[np.isnan(excess)] = 1.0  # Infinitely far, as rounding carries it too.
            place = int(excess.argmax())
            before = worst[index]
            if before is None or excess[place] > before.excess:
                step, share = int(steps[index][place]), float(found[place] / scale)
                worst[index] = Departure(index, name, step, float(excess[place]), share)
    return [one for one in worst if one is not None]


def _floor(name: str, samples: int) -> float:
    """A share of the range."""
    if name == "train_loss" or name.partition("@")[0] == "loss":
        return LOSSES
    return (PROBES if "/" in name else SCORES) + FLIPPED / samples


def _scale(values: Array) -> float:
    """The range of a column in one replica, of a curve over all of its places."""
    known = values[np.isfinite(values)]
    if not known.size:
        return 1.0
    return float(max(np.ptp(known), 1e-3 * np.abs(known).max(), 1e-12))


def _distances(one: Array, other: Array) -> Array:
    """How far two curves are apart at the evaluations that both have: (E,), the farthest place.

    0 where both are undefined, inf where one is.
    """
    count = min(len(one), len(other))
    one, other = one[:count], other[:count]
    with np.errstate(invalid="ignore"):
        apart = np.where(one == other, 0.0, np.abs(one - other))
    missing = np.isnan(one), np.isnan(other)
    apart[missing[0] & missing[1]] = 0.0
    apart[np.isnan(apart)] = np.inf
    farthest: Array = apart.reshape(count, -1).max(axis=1)
    return farthest


def _carried(again: Array, nudged: Sequence[Array], count: int) -> Array:
    """How far rounding carries a curve around each of its first evaluations: (count,).

    Where one training has ended and another has not, as far as one likes.
    """
    widest = np.zeros(count)
    trainings = [again, *nudged]
    for index, one in enumerate(trainings):
        for other in trainings[:index]:
            apart = np.full(count + BEFORE + AFTER, 0.0)
            known = _distances(one, other)[: count + AFTER]
            apart[BEFORE : BEFORE + len(known)] = known
            if len(one) != len(other):
                apart[BEFORE + len(known) :] = np.inf
            windows = np.lib.stride_tricks.sliding_window_view(apart, BEFORE + 1 + AFTER)
            widest = np.maximum(widest, windows[:count].max(axis=1))
    return widest
