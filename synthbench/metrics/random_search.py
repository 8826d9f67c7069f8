"""Is it random search? Solving times against the exponential (geometric) law."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

SIMULATIONS = 999
FEWEST = 4
"""Solved replicas below which no law can be told from another."""


@dataclass(frozen=True)
class RandomSearchTest:
    """Solving times held against random search, which solves at each step with equal chance.

    p_value: probability, under random search, of times at least as far from its law as these;
    statistic: how far, by Anderson & Darling. cv: coefficient of variation of
    min(time, budget). random_search_cv: the same under the fitted law, close to 1 when it takes
    many steps and hardly anything is censored. mean: mean time of the fitted law, in samples.
    """

    statistic: float
    p_value: float
    cv: float
    random_search_cv: float
    mean: float


def random_search_test(
    times: Array, solved: NDArray[np.bool_], points: Array, step: float
) -> RandomSearchTest | None:
    """Test whether right-censored solving times follow the geometric law.

    times, solved: (R,) as for `survival_curve`, censored at the last point. points: (E,) the
    evaluation points in samples, ascending, at which a solving time can be seen. step: samples
    per optimizer step. None with fewer than four solved replicas.
    The statistic is Anderson and Darling's for a sample cut at a fixed time. The law's mean is
    estimated from the data, so the null distribution is simulated: as many geometric times,
    seen at the same points, cut at the same budget and fitted anew; always the same draws.
    Source: Anderson & Darling 1954; Pettitt & Stephens 1976 (censored); Lilliefors 1969.
    """
    if solved.sum() < FEWEST:
        return None
    budget = float(points[-1])
    statistic, mean = anderson_darling(times[None], solved[None], budget)
    chance = min(step / mean[0], 1.0)
    draws = np.random.default_rng(0)
    # In order within each sample, in which they are found among the points much faster.
    exact = step * np.sort(draws.geometric(chance, size=(SIMULATIONS, len(times))), axis=1)
    reached = exact <= budget
    seen = points[np.minimum(np.searchsorted(points, exact), len(points) - 1)]
    enough = reached.sum(axis=1) >= FEWEST
    null, _ = anderson_darling(seen[enough], reached[enough], budget)
    # Ties between equal samples must not be broken by rounding.
    above = int((null >= statistic[0] - 1e-9).sum())
    return RandomSearchTest(
        statistic=float(statistic[0]),
        # The sample itself counts among the simulated ones: Davison & Hinkley 1997, eq. 4.11.
        p_value=(1 + above) / (1 + len(null)),
        cv=float(np.std(times, ddof=1) / np.mean(times)),
        random_search_cv=restricted_geometric_cv(float(chance), max(int(budget / step), 1)),
        mean=float(mean[0]),
    )


def anderson_darling(times: Array, solved: NDArray[np.bool_], budget: float) -> tuple[Array, Array]:
    """Distance of samples from their fitted exponential law, and its mean.

    times, solved: (N, R), N samples of R times censored at `budget`. Returns (N,) statistics
    R int_0^F(budget) (F_R - F)^2 / (F (1 - F)) dF, and (N,) maximum-likelihood means: total
    time over solved replicas. Source: Pettitt & Stephens 1976, type I censoring.
    """
    count, reached = times.shape[1], solved.sum(axis=1)
    mean = times.sum(axis=1) / reached
    scaled = np.sort(np.where(solved, times, np.inf), axis=1) / mean[:, None]
    rank = np.arange(1, count + 1)
    inside = rank <= reached[:, None]
    hazard = np.where(inside, scaled, 0.0)
    # ln F(t) and -ln(1 - F(t)) = t / mean; beyond the solved ones both are set to 0.
    log_share = np.log(-np.expm1(-np.where(inside, scaled, np.inf)))
    end = budget / mean
    share = -np.expm1(-end)
    within = ((2 * rank - 1) * (log_share + hazard)).sum(axis=1) / count
    tail = -((reached - count) ** 2) * end - reached**2 * np.log(share) + count**2 * share
    return 2 * hazard.sum(axis=1) - within - tail / count, mean


def restricted_geometric_cv(chance: float, steps: int) -> float:
    """Coefficient of variation of min(G, steps) for the step G of the first success.

    E min(G, m) and E min(G, m)^2 are the sums of q^j and (2 j + 1) q^j over j < m, q = 1 - chance.
    """
    later = (1 - chance) ** np.arange(steps)
    first, second = later.sum(), ((2 * np.arange(steps) + 1) * later).sum()
    return float(np.sqrt(max(second - first**2, 0.0)) / first)
