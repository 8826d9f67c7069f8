"""Which known strategy a replica's score is nearest to, and for how long."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from synthbench.metrics.change_points import LEAST_RISE


@dataclass(frozen=True)
class TimeNear:
    """Time spent nearest to one strategy.

    first: samples at the first such evaluation, None if there is none. samples: how many
    samples were spent there. share: the share of log samples, from the first evaluated
    training step to the end.
    """

    first: float | None
    samples: float
    share: float


def time_near_references(
    samples: NDArray[np.float64], distances: Mapping[str, NDArray[np.float64]]
) -> dict[str, TimeNear]:
    """Time spent nearest to each strategy.

    samples: (E,) of one replica, ascending from 0. distances: strategy -> (E,) distance to
    it at each evaluation, such as |score - the strategy's score| or a divergence measured by
    a probe. A tie goes to the strategy named last, the more advanced one. The time up to an
    evaluation belongs to the strategy found there.
    """
    names = list(distances)
    stacked = np.stack([np.where(np.isfinite(d), d, np.inf) for d in distances.values()])
    nearest = len(names) - 1 - np.argmin(stacked[::-1], axis=0)
    spent = np.diff(samples, prepend=samples[:1])
    logs = np.log(np.maximum(samples, samples[1] if len(samples) > 1 else 1.0))
    decades = np.diff(logs, prepend=logs[:1])
    total = decades.sum()
    found = {}
    for index, name in enumerate(names):
        here = nearest == index
        found[name] = TimeNear(
            first=float(samples[here][0]) if here.any() else None,
            samples=float(spent[here].sum()),
            share=float(decades[here].sum() / total) if total > 0 else 0.0,
        )
    return found


def told_apart(references: Sequence[Mapping[str, float]], least: float = LEAST_RISE) -> list[str]:
    """The strategies whose scores differ, in progress, by at least a tenth from one another.

    references: for each replica, strategy -> score, from "trivial" to "optimal". A strategy
    that scores no better than the trivial one cannot be recognized by its score.
    """
    names = list(references[0])
    scores = np.array([[levels[name] for name in names] for levels in references])
    start, end = scores[:, names.index("trivial")], scores[:, names.index("optimal")]
    progress = np.median((scores - start[:, None]) / (end - start)[:, None], axis=0)
    kept = ["trivial", "optimal"]
    for name, level in zip(names, progress, strict=True):
        levels = [progress[names.index(other)] for other in kept]
        if min(abs(level - other) for other in levels) >= least:
            kept.append(name)
    return [name for name in names if name in kept]


def score_distances(
    score: NDArray[np.float64], references: Mapping[str, float]
) -> dict[str, NDArray[np.float64]]:
    """|score - the reference's score| for every reference: the distances of a ranked score."""
    return {name: np.abs(score - level) for name, level in references.items()}
