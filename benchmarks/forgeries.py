"""Ways to forge trajectories, each from an honest training: for `benchmarks/verification.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from synthbench.metrics.arrow_columns import nullable_column
from synthbench.metrics.time_to_target import Target, times_to_target
from synthbench.metrics.trajectories import INDEX, Trajectories

Array = NDArray[np.float64]
Forgery: TypeAlias = Callable[[Trajectories, Sequence[Trajectories], Target], "Trajectories | None"]
"""The honest claim, others that differ by rounding, the target; None where it changes nothing."""
Places: TypeAlias = Callable[[int, int], Array]
"""Replica, number of evaluations -> at which place of the honest curve each forged one is."""


def moved(points: float, share: float = 1.0, since: float = 0.0, ramp: bool = False) -> Forgery:
    """Curves so many evaluations earlier: of a share of the replicas, of the part since a share
    of their evaluations, growing slowly to that (`ramp`) or at once.
    """

    def places(replica: int, count: int) -> Array:
        at = np.arange(count, dtype=float)
        if replica % round(1 / share):
            return at
        weight = np.clip((at / count - since) / (1 - since), 0, 1) if ramp else at >= since * count
        return at + points * weight

    return lambda claim, _, target: _replaced(claim, places, target)


def moved_once_parted(points: float) -> Forgery:
    """Curves earlier only since two honest roundings are 10% of the loss's range apart."""

    def forge(
        claim: Trajectories, others: Sequence[Trajectories], target: Target
    ) -> Trajectories | None:
        other = next((each for each in others if each is not claim), None)
        if other is None:
            return None
        since = [
            _parted(one, two)
            for one, two in zip(claim.by_replica("loss"), other.by_replica("loss"), strict=True)
        ]
        if all(place is None for place in since):
            return None

        def places(replica: int, count: int) -> Array:
            at = np.arange(count, dtype=float)
            start = since[replica]
            return at if start is None else np.where(at >= start, at + points, at)

        return _replaced(claim, places, target)

    return forge


def others_seeds(claim: Trajectories, _: Sequence[Trajectories], target: Target) -> Trajectories:
    """Each replica has the curve of the next, as if other seeds had been trained."""
    numbers = claim.replicas()
    parts = [_rows_of(claim, number) for number in [*numbers[1:], numbers[0]]]
    return _numbered(parts)


def best_of_all(
    claim: Trajectories, others: Sequence[Trajectories], target: Target
) -> Trajectories | None:
    """Of each replica the roundings' fastest training."""
    times = np.stack([_ordered_times(each, target) for each in others])
    best = times.argmin(axis=0)
    if (times.min(axis=0) == _ordered_times(claim, target)).all():
        return None
    numbers = claim.replicas()
    return _numbered([_rows_of(others[b], n) for b, n in zip(best, numbers, strict=True)])


def improved(column: str, factor: float, since: float) -> Forgery:
    """Values of one column times a factor, since a share of the evaluations."""

    def forge(claim: Trajectories, _: Sequence[Trajectories], target: Target) -> Trajectories:
        values = claim.column(column).astype(float)
        ends = np.cumsum([len(steps) for steps in claim.by_replica("step")])
        begin = 0
        for end in ends.tolist():
            values[begin + int(since * (end - begin)) : end] *= factor
            begin = end
        place = claim.table.column_names.index(column)
        return Trajectories(claim.table.set_column(place, column, nullable_column(values)))

    return forge


FORGERIES: dict[str, Forgery] = {
    "all 5% earlier": moved(1),
    "all 10% earlier": moved(2),
    "5% earlier, first half honest": moved(1, since=0.5),
    "10% earlier, first half honest": moved(2, since=0.5),
    "slowly 5% earlier": moved(1, ramp=True),
    "slowly 10% earlier": moved(2, ramp=True),
    "every third 10% earlier": moved(2, share=1 / 3, since=0.5),
    "every third 20% earlier": moved(4, share=1 / 3, since=0.5),
    "5% earlier once rounding shows": moved_once_parted(1),
    "10% earlier once rounding shows": moved_once_parted(2),
    "20% earlier once rounding shows": moved_once_parted(4),
    "the fastest of all roundings": best_of_all,
    "losses 10% lower": improved("loss", 0.9, 0.5),
    "last losses 10% lower": improved("loss", 0.9, 0.97),
    "other seeds": others_seeds,
}


def _replaced(claim: Trajectories, places: Places, target: Target) -> Trajectories | None:
    """Each replica read at other places of its own curves; one that has solved it ends earlier."""
    solved = times_to_target(claim, target).solved
    parts = []
    for index, number in enumerate(claim.replicas()):
        own = _rows_of(claim, number)
        at = places(index, own.num_rows)
        last = own.num_rows - 1
        kept = int((at <= last).sum()) if solved[index] else own.num_rows
        parts.append(_read_at(own, np.minimum(at[:kept], last)))
    forged = _numbered(parts)
    return None if forged.table.equals(claim.table) else forged


def _read_at(own: pa.Table, at: Array) -> pa.Table:
    columns = {name: own[name].combine_chunks().slice(0, len(at)) for name in INDEX}
    low = np.floor(at).astype(int)
    high, weight = np.minimum(low + 1, own.num_rows - 1), at - low
    for name in own.column_names[len(INDEX) :]:
        values = np.array(own[name].to_pylist(), float)
        part = weight if values.ndim == 1 else weight[:, None]
        mixed = np.where(part == 0, values[low], values[low] * (1 - part) + values[high] * part)
        columns[name] = nullable_column(mixed)
    return pa.table(columns)


def _rows_of(claim: Trajectories, number: int) -> pa.Table:
    return claim.select([number]).table


def _numbered(parts: Sequence[pa.Table]) -> Trajectories:
    numbered = []
    for number, part in enumerate(parts):
        column = pa.array(np.full(part.num_rows, number))
        numbered.append(part.set_column(0, "replica", column.cast(part["replica"].type)))
    return Trajectories(pa.concat_tables([part.cast(numbered[0].schema) for part in numbered]))


def _parted(one: Array, other: Array) -> int | None:
    count = min(len(one), len(other))
    apart = np.abs(one[:count] - other[:count]) > 0.1 * np.ptp(one)
    if apart.any():
        return int(apart.argmax())
    return None if len(one) == len(other) else count


def _ordered_times(claim: Trajectories, target: Target) -> Array:
    reached = times_to_target(claim, target)
    return np.where(reached.solved, reached.times, np.inf)
