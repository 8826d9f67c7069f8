"""What a replica was at one of its evaluations: where something first holds, at the last, at best.

R replicas, E evaluations of all of them; each function goes from (E,) to (R,).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from synthbench.claims.bounds import Array, Bounds
from synthbench.claims.replicas import Replicas
from synthbench.claims.truth import Truth


def when(replicas: Replicas, condition: Truth) -> Bounds:
    """Samples at the first evaluation where a condition holds.

    Where it never did, somewhere beyond what was watched.
    """
    samples, ends = replicas.samples, []
    for met in (condition.possible, condition.sure):
        places = _first_place(replicas, met)
        ends.append(np.where(places >= 0, samples[places], np.inf))
    return Bounds(np.where(np.isinf(ends[0]), replicas.watched, ends[0]), ends[1])


def first(replicas: Replicas, values: Bounds) -> Bounds:
    """The value at the first evaluation that has one."""
    return _at_places(values, _first_place(replicas, values.defined))


def last(replicas: Replicas, values: Bounds) -> Bounds:
    """The value at the last evaluation that has one."""
    places = np.where(values.defined, np.arange(len(values.least)), -1)
    found = np.maximum.reduceat(places, replicas.starts)
    return _at_places(values, found)


def peak(replicas: Replicas, values: Bounds) -> Bounds:
    """The largest value of all evaluations."""
    return values.mapped(lambda end: np.fmax.reduceat(end, replicas.starts))


def at(replicas: Replicas, moment: Bounds, values: Bounds) -> Bounds:
    """The value at the first evaluation with that many samples or more.

    A replica that stopped before keeps its last value to the end of its budget. Not defined
    where the moment never came, and beyond the budget.
    """
    samples = replicas.samples
    places = _first_place(replicas, samples >= moment.least[replicas.owner])
    places = np.where(places >= 0, places, replicas.ends)
    budget = replicas.table["budget"].to_numpy(float)
    came = (moment.least == moment.most) & (moment.least <= budget)
    return _at_places(values, np.where(came, places, -1))


def _first_place(replicas: Replicas, met: NDArray[np.bool_]) -> NDArray[np.intp]:
    """(R,) the first evaluation that is met; -1 where none is."""
    count = len(met)
    found = np.minimum.reduceat(np.where(met, np.arange(count), count), replicas.starts)
    return np.where(found < count, found, -1)


def _at_places(values: Bounds, places: NDArray[np.intp]) -> Bounds:
    def taken(end: Array) -> Array:
        return np.where(places >= 0, end[places], np.nan)

    return values.mapped(taken)
