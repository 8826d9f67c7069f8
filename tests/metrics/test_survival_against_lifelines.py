"""Survival estimates against a second library, and the restricted mean against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.utils import qth_survival_times, restricted_mean_survival_time

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
    for _ in range(20):
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
    assert compared >= 5


def test_interval_of_the_median() -> None:
    from lifelines.utils import median_survival_times

    generator = np.random.default_rng(5)
    for _ in range(20):
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


def test_restricted_mean_without_censoring_is_the_mean_and_its_error() -> None:
    times = np.random.default_rng(7).uniform(1, 50, 200)
    found = restricted_mean(times, np.ones(200, bool), BUDGET)
    assert found.value == pytest.approx(times.mean())
    half = 1.959963984540054 * times.std() / np.sqrt(200)
    assert found.high - found.value == pytest.approx(half, rel=1e-9)


def test_restricted_mean_of_nobody_is_the_budget() -> None:
    found = restricted_mean(np.full(4, BUDGET), np.zeros(4, bool), BUDGET)
    assert (found.value, found.low, found.high) == (BUDGET, BUDGET, BUDGET)
