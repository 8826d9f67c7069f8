"""Survival estimates against a second library, and the restricted mean against simulation.

`pytest -m slow` adds shares between few and all that solve.
"""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import qth_survival_times, restricted_mean_survival_time
from scipy.stats import norm

from synthbench.metrics.proportion import success_rate
from synthbench.metrics.survival import kaplan_meier_quantile, restricted_mean

BUDGET = 100.0


def draw(generator: np.random.Generator, replicas: int) -> tuple[np.ndarray, np.ndarray]:
    """Lognormal times rounded to a grid, about 30% censored at the budget."""
    times = np.round(60 * np.exp(generator.normal(0, 1, replicas)), 0) + 1
    return np.minimum(times, BUDGET), times <= BUDGET


@pytest.mark.parametrize("replicas", [9, 33, 201])
@pytest.mark.parametrize("quantile", [0.1, 0.25, 0.5])
def test_quantiles(replicas: int, quantile: float) -> None:
    generator = np.random.default_rng(replicas)
    compared = 0
    for _ in range(10):
        times, solved = draw(generator, replicas)
        fitted = KaplanMeierFitter().fit(times, solved)
        curve = fitted.survival_function_
        if np.isclose(curve, 1 - quantile).any():
            # The curve touches the level exactly; lifelines then decides by its rounding.
            continue
        expected = qth_survival_times(1 - quantile, curve)
        value = kaplan_meier_quantile(times, solved, quantile).value
        assert (np.inf if value is None else value) == expected
        compared += 1
    assert compared >= 3


def test_interval_of_the_median() -> None:
    from lifelines.utils import median_survival_times

    generator = np.random.default_rng(5)
    for _ in range(10):
        times, solved = draw(generator, 64)
        band = KaplanMeierFitter().fit(times, solved).confidence_interval_survival_function_
        low, high = median_survival_times(band).to_numpy()[0]
        found = kaplan_meier_quantile(times, solved, 0.5)
        assert found.low == low and (np.inf if found.high is None else found.high) == high


def test_restricted_mean() -> None:
    generator = np.random.default_rng(6)
    for replicas in (5, 16, 64):
        times, solved = draw(generator, replicas)
        fitted = KaplanMeierFitter().fit(times, solved)
        expected = restricted_mean_survival_time(fitted, t=BUDGET)
        assert restricted_mean(times, solved, BUDGET).value == pytest.approx(expected, rel=1e-9)


def test_restricted_mean_of_those_that_left_early_has_greenwoods_error() -> None:
    """Somebody left before the budget: the interval has the width of the bootstrap's."""
    times, solved = draw(np.random.default_rng(6), 64)
    times[~solved] = np.minimum(times[~solved], BUDGET * 0.9)
    fitted = KaplanMeierFitter().fit(times, solved)
    found = restricted_mean(times, solved, BUDGET)
    expected = restricted_mean_survival_time(fitted, t=BUDGET)
    assert found.value == pytest.approx(expected, rel=1e-9)
    generator = np.random.default_rng(0)
    resampled = [generator.integers(0, 64, 64) for _ in range(500)]
    means = [restricted_mean(times[i], solved[i], BUDGET).value for i in resampled]
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * np.std(means), rel=0.1)


def test_restricted_mean_of_nobody_is_bounded_by_the_success_rate() -> None:
    found = restricted_mean(np.full(6, BUDGET), np.zeros(6, bool), BUDGET)
    assert found.value == found.high == BUDGET
    assert found.low == pytest.approx(BUDGET * (1 - success_rate(0, 6).high))


def test_one_replica_hardly_bounds_the_restricted_mean() -> None:
    found = restricted_mean(np.array([BUDGET / 10]), np.ones(1, bool), BUDGET)
    assert found.value == pytest.approx(BUDGET / 10)
    assert found.low == 0 and found.high > 0.7 * BUDGET


@pytest.mark.parametrize(
    ("replicas", "share", "spread"),
    [
        (16, 0.1, 0.8),
        pytest.param(4, 0.7, 0.8, marks=pytest.mark.slow),
        pytest.param(16, 0.95, 0.8, marks=pytest.mark.slow),
        (8, 1.0, 0.3),
    ],
)
def test_restricted_mean_covers_where_few_or_all_solve(
    replicas: int, share: float, spread: float
) -> None:
    """Greenwood's normal interval holds the truth in 69%, 81%, 89% and 88% of these."""
    budget = float(np.exp(spread * norm.ppf(min(share, 0.99999))))
    generator = np.random.default_rng(1)
    truth = np.minimum(np.exp(generator.normal(0, spread, 400_000)), budget).mean()
    covered = 0
    for _ in range(400):
        times = np.exp(generator.normal(0, spread, replicas))
        found = restricted_mean(np.minimum(times, budget), times <= budget, budget)
        covered += found.low <= truth <= found.high
    assert covered / 400 >= 0.92
