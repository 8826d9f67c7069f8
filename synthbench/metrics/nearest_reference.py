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
    stacked = np.stack(list(distances.values()))
    # From the last backwards, so that a tie goes to it; NaN is infinitely far.
    nearest = len(names) - 1 - np.where(np.isnan(stacked), np.inf, stacked)[::-1].argmin(axis=0)
    spent = np.diff(samples, prepend=samples[:1])
    logs = np.log(np.maximum(samples, samples[1] if len(samples) > 1 else 1.0))
    decades = np.diff(logs, prepend=logs[:1])
    total = max(float(logs[-1] - logs[0]), 1e-300)
    counts, time, share = (
        np.bincount(nearest, weights, len(names)) for weights in (None, spent, decades)
    )
    firsts = [float(samples[int((nearest == i).argmax())]) for i in range(len(names))]
    return {
        name: TimeNear(
            first=firsts[i] if counts[i] else None,
            samples=float(time[i]),
            share=float(share[i]) / total,
        )
        for i, name in enumerate(names)
    }


def told_apart(
    references: Sequence[Mapping[str, float]], ceiling: str = "optimal", least: float = LEAST_RISE
) -> list[str]:
    """The strategies whose scores differ, in progress, by at least a tenth from one another.

    references: for each replica, strategy -> score, "trivial" and the ceiling among them. A
    strategy that scores no better than the trivial one cannot be recognized by its score.
    ceiling: the strategy at which progress is 1.
    """
    names = list(references[0])
    scores = np.array([[levels[name] for name in names] for levels in references])
    start, end = scores[:, names.index("trivial")], scores[:, names.index(ceiling)]
    # A replica in which the two are equal tells nothing apart.
    scale = np.where(end == start, np.nan, end - start)
    progress = np.nanmedian((scores - start[:, None]) / scale[:, None], axis=0)
    kept = ["trivial", ceiling]
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
