"""Time to target as survival data: never dropped, never set to the budget."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import CensoredData, ecdf, norm

from synthbench.metrics.estimate import Estimate
from synthbench.metrics.mean import mean_estimate
from synthbench.metrics.proportion import success_rate


@dataclass(frozen=True)
class SurvivalCurve:
    """Share of replicas still unsolved, with its pointwise interval.

    times: (E,) distinct times, ascending; survival, low, high: (E,) from that time on. Before
    the first time the share is 1.
    """

    times: NDArray[np.float64]
    survival: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def survival_curve(
    times: NDArray[np.float64], solved: NDArray[np.bool_], confidence: float = 0.95
) -> SurvivalCurve:
    """Kaplan-Meier curve of right-censored replicas with its log(-log) band.

    times: (R,) time of the first solved evaluation, or of the end of the budget if never
    solved. solved: (R,) bool; False marks a censored replica.
    Where the curve is 1 or 0 the band is undefined, and the exact binomial bounds are its
    edges: (alpha / 2)^(1 / R) from below before the first event, and 1 - (alpha / 2)^(1 / R)
    from above after the last.
    Source: Kaplan & Meier 1958; band by Kalbfleisch & Prentice 1980 on Greenwood's variance;
    ends by Clopper & Pearson 1934.
    """
    curve = ecdf(CensoredData(uncensored=times[solved], right=times[~solved])).sf
    points, survival = np.asarray(curve.quantiles), np.asarray(curve.probabilities)
    exact = binomial_floor(len(times), confidence)
    whole, ended = survival == 1, survival == 0
    if whole.all():
        low, high = np.full(len(points), exact), np.ones(len(points))
        return SurvivalCurve(points, survival, low, high)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        # 0 / 0 where the curve is 1 or 0; scipy warns, the ends are set below.
        warnings.simplefilter("ignore", RuntimeWarning)
        band: Any = curve.confidence_interval(confidence, method="log-log")
    low = np.select([ended, whole], [0.0, exact], np.asarray(band.low.probabilities))
    high = np.select([ended, whole], [1 - exact, 1.0], np.asarray(band.high.probabilities))
    return SurvivalCurve(points, survival, low, high)


def binomial_floor(replicas: int, confidence: float = 0.95) -> float:
    """Least share unsolved that is still likely where none of the replicas is solved yet."""
    return float(((1 - confidence) / 2) ** (1 / replicas))


def kaplan_meier_median(
    times: NDArray[np.float64], solved: NDArray[np.bool_], confidence: float = 0.95
) -> Estimate:
    """Median time to target of right-censored replicas: `kaplan_meier_quantile` at one half.

    >>> times = np.array([20.0, 30.0, 40.0, 100.0, 100.0])
    >>> kaplan_meier_median(times, times < 100).value  # two of five never solved it
    40.0
    >>> kaplan_meier_median(times, times < 30).value is None  # beyond what was watched
    True
    """
    return kaplan_meier_quantile(times, solved, 0.5, confidence)


def median_time(times: Sequence[float | None], budget: float | NDArray[np.float64]) -> Estimate:
    """The same for times of which None never came; those are censored at the budget.

    budget: of all, or (R,) how long each was watched.
    """
    reached = np.array([time is not None for time in times])
    spent = np.array([np.nan if time is None else time for time in times], float)
    return kaplan_meier_median(np.where(reached, spent, budget), reached)


def kaplan_meier_quantile(
    times: NDArray[np.float64],
    solved: NDArray[np.bool_],
    quantile: float,
    confidence: float = 0.95,
) -> Estimate:
    """Time by which a share `quantile` of right-censored replicas has solved the task.

    times, solved: as for `survival_curve`. The value is the first time at which the survival
    curve is at most 1 - quantile, its interval the times at which that level lies inside the
    curve's band; None where the curve (or an edge of the band) never gets there. Few replicas
    bound nothing from below: low is then 0.
    Source: Brookmeyer & Crowley 1982, with the band of `survival_curve`.
    """
    if not 0 < quantile < 1:
        raise ValueError(f"quantile must be between 0 and 1, got {quantile}")
    if not solved.any():
        return Estimate(value=None, low=None, high=None)
    curve, level = survival_curve(times, solved, confidence), 1 - quantile
    unbounded = binomial_floor(len(times), confidence) <= level
    return Estimate(
        value=_first_at_most(curve.times, curve.survival, level),
        low=0.0 if unbounded else _first_at_most(curve.times, curve.low, level),
        high=_first_at_most(curve.times, curve.high, level),
    )


def restricted_mean(
    times: NDArray[np.float64],
    solved: NDArray[np.bool_],
    budget: float,
    confidence: float = 0.95,
) -> Estimate:
    """Mean of min(time to target, budget): the area under the survival curve up to the budget.

    Unlike the median it exists whatever share of the replicas solved the task. times, solved:
    as for `kaplan_meier_quantile`.
    Where nobody left before the budget, what is saved of it is the product of the share that
    solved the task (Wilson's interval) and of their mean saving (Student's, within 0..budget),
    and the interval is that of a product (MOVER; Zou, Huang & Zhang 2009): it covers 94% to 99%
    also where few replicas, or all, solved the task, and Greenwood's covers down to 67%.
    Otherwise the normal interval with Greenwood's variance, the sum over event times of
    (area under the curve from there to the budget)^2 d / (n (n - d)).
    Source: Irwin 1949; Klein & Moeschberger 2003, section 4.5.
    """
    reached = solved & (times <= budget)
    if (times[~reached] >= budget).all():
        return _mean_within_budget(times, reached, budget, confidence)
    events = np.unique(times[reached])
    edges = np.concatenate([[0.0], events, [budget]])
    at_risk = np.array([(times >= t).sum() for t in events], float)
    counts = np.array([((times == t) & solved).sum() for t in events], float)
    survival = np.concatenate([[1.0], np.cumprod(1 - counts / at_risk)])
    areas = survival * np.diff(edges)
    remaining = areas.sum() - np.cumsum(areas)[:-1]
    left = at_risk - counts
    # The last event may leave nobody at risk; no area remains beyond it either.
    weights = np.divide(counts, at_risk * left, out=np.zeros_like(left), where=left > 0)
    mean, error = float(areas.sum()), float(np.sqrt((remaining**2 * weights).sum()))
    half = float(norm.ppf(0.5 + confidence / 2)) * error
    return Estimate(value=mean, low=max(mean - half, 0.0), high=min(mean + half, budget))


def _mean_within_budget(
    times: NDArray[np.float64], reached: NDArray[np.bool_], budget: float, confidence: float
) -> Estimate:
    """The restricted mean of replicas that were all watched up to the budget or their solving."""
    count = int(reached.sum())
    share = success_rate(count, len(times), confidence)
    assert share.value is not None and share.low is not None and share.high is not None
    saved = 1 - times[reached] / budget
    mean, low, high = float(np.mean(saved)) if count else 1.0, 0.0, 1.0
    if count > 1:
        saving = mean_estimate(saved, confidence).within(low, high)
        assert saving.low is not None and saving.high is not None
        low, high = saving.low, saving.high
    product = share.value * mean
    a, b = share.value - share.low, mean - low
    down = np.sqrt((a * mean) ** 2 + (b * share.value) ** 2 - (a * b) ** 2)
    a, b = share.high - share.value, high - mean
    up = np.sqrt((a * mean) ** 2 + (b * share.value) ** 2 + (a * b) ** 2)
    return Estimate(
        value=budget * (1 - product),
        low=budget * max(1 - product - float(up), 0.0),
        high=budget * min(1 - product + float(down), 1.0),
    )


def _first_at_most(
    times: NDArray[np.float64], survival: NDArray[np.float64], level: float
) -> float | None:
    """The first time at which survival is at most `level`; NaN never is."""
    below = np.flatnonzero(survival <= level + 1e-12)
    return float(times[below[0]]) if len(below) else None
