"""From claims and results to verdicts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from synthbench.claims.bounds import Bounds, stacked
from synthbench.claims.claim import Claim, Judgement, Verdict
from synthbench.claims.quantity import Summary, read_quantity
from synthbench.claims.replicas import Replicas
from synthbench.claims.resampling import SeedWeights, observed, resamples
from synthbench.claims.sample import Sample
from synthbench.claims.side import Side
from synthbench.claims.spread import is_spread
from synthbench.errors import ConfigurationError

if TYPE_CHECKING:
    from synthbench.measurements.rows import MeasuredRows
    from synthbench.results.results import Results

FEWEST = 4
"""Seeds below which nothing is bounded."""


def judge(
    claims: Sequence[Claim], results: Results | MeasuredRows, *, confidence: float = 0.95
) -> list[Judgement]:
    """What results, of networks or of measurements, say of each claim of a study.

    Intervals are simultaneous (Bonferroni): with probability `confidence` all of them hold what
    they are of, so that no more than 5% of studies have any verdict that is wrong, whichever way
    claims depend on one another. Raises ConfigurationError for two claims of one name, for a
    quantity that does not fit the results, and for a confidence outside 0..1; UnknownNameError
    for a column that there is not.
    """
    return judge_replicas(claims, Replicas.of(results), confidence)


def judge_replicas(
    claims: Sequence[Claim], replicas: Replicas, confidence: float = 0.95
) -> list[Judgement]:
    """The same from replicas that are at hand."""
    twice = [name for name, count in Counter(c.name for c in claims).items() if count > 1]
    if twice:
        raise ConfigurationError(f'two claims are called "{twice[0]}"; a name is of one claim')
    if not 0 < confidence < 1:
        raise ConfigurationError(f"confidence must be between 0 and 1, got {confidence}")
    if not claims:
        return []
    tail = (1 - confidence) / 2 / len(claims)
    seeds = int(replicas.seeds.max()) + 1
    alike, draws = observed(seeds), list(resamples(seeds, tail))
    return [_judged(claim, replicas, alike, draws, tail) for claim in claims]


def _judged(
    claim: Claim,
    replicas: Replicas,
    alike: SeedWeights,
    draws: Sequence[SeedWeights],
    tail: float,
) -> Judgement:
    quantity, side = read_quantity(claim.quantity), claim.side
    sample = Sample.whole(replicas, alike)
    values = quantity(sample)
    seeds = min(sample.used, default=0)
    low, high = -math.inf, math.inf
    if seeds >= FEWEST or not sample.used:
        low, high = _interval(quantity, replicas, draws, tail)
    value, best = _value(values), math.nan if is_spread(claim.quantity) else _best(values, side)
    verdict = _verdict(side, low, high, best)
    needed = None
    if verdict is Verdict.UNDECIDED:
        needed = seeds_needed(value, low, high, side, seeds)
    return Judgement(claim, value, low, high, best, seeds, verdict, needed)


def _interval(
    quantity: Summary, replicas: Replicas, draws: Sequence[SeedWeights], tail: float
) -> tuple[float, float]:
    """Percentiles of the resamples; one that is not defined could be anything."""
    found = stacked([quantity(Sample.whole(replicas, each)) for each in draws])
    least = np.where(np.isnan(found.least), -np.inf, found.least)
    most = np.where(np.isnan(found.most), np.inf, found.most)
    return (
        float(np.quantile(least, tail, method="inverted_cdf")),
        float(np.quantile(most, 1 - tail, method="inverted_cdf")),
    )


def _value(values: Bounds) -> float:
    """What all seeds say: infinite, or not known, where censoring leaves it open."""
    least, most = float(values.least[0]), float(values.most[0])
    if least == most or math.isinf(most):
        return most
    return least if math.isinf(least) else math.nan


def _best(values: Bounds, side: Side) -> float:
    """The best seed's value; of one that is not known the end that is worse for the claim."""
    ends = [
        min((float(end) for end in both), key=side.depth)
        for both in zip(values.least[1:], values.most[1:], strict=True)
        if not np.isnan(both).any()
    ]
    return max(ends, key=side.depth, default=math.nan)


def _verdict(side: Side, low: float, high: float, best: float) -> Verdict:
    if side.holds_all(low, high):
        return Verdict.HOLDS
    if not side.holds_none(low, high):
        return Verdict.UNDECIDED
    return Verdict.BEST_SEED_ONLY if side.holds_all(best, best) else Verdict.DOES_NOT_HOLD


def seeds_needed(value: float, low: float, high: float, side: Side, seeds: int) -> int | None:
    """About how many seeds would decide a claim if the value were the truth.

    The interval's reach towards the threshold, h, shrinks as 1 / sqrt(seeds); it must be below
    the distance d of the value from the nearest threshold: seeds (h / d)^2. None where the value
    is not known or on the threshold, and where the interval is unbounded on that side.
    """
    needed = []
    for threshold in (side.low, side.high):
        distance = abs(value - threshold)
        reach = value - low if value > threshold else high - value
        if math.isinf(threshold):
            continue
        if not (math.isfinite(distance) and math.isfinite(reach) and distance > 0):
            return None
        needed.append(math.ceil(seeds * (reach / distance) ** 2))
    return max([seeds + 1, *needed])
