"""The exponential law: Anderson and Darling's integral, the level of the test, its power."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad

from synthbench.metrics.random_search import (
    anderson_darling,
    random_search_test,
    restricted_geometric_cv,
)
from synthbench.plan.schedule import evaluation_steps


def points_up_to(budget: int) -> np.ndarray:
    return np.array(evaluation_steps(budget, 0.05), float)


def observe(steps: np.ndarray, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Times as an evaluation sees them: at the next point, censored at the last."""
    index = np.searchsorted(points, steps)
    return points[np.minimum(index, len(points) - 1)], steps <= points[-1]


@pytest.mark.parametrize("budget", [0.5, 1.2, 50.0])
def test_the_statistic_is_the_integral(budget: float) -> None:
    times = np.random.default_rng(3).exponential(1, 20)
    solved = times <= budget
    seen = np.minimum(times, budget)
    (statistic,), (mean,) = anderson_darling(seen[None], solved[None], budget)
    assert mean == pytest.approx(seen.sum() / solved.sum())
    shares = np.concatenate(
        [[0], 1 - np.exp(-np.sort(seen[solved]) / mean), [1 - np.exp(-budget / mean)]]
    )
    area = sum(
        quad(lambda f, i=i: (i / 20 - f) ** 2 / (f * (1 - f)), shares[i], shares[i + 1])[0]
        for i in range(len(shares) - 1)
    )
    assert statistic == pytest.approx(20 * area, rel=1e-6)


def test_solving_times_of_sgd_are_told_from_random_search_either_way() -> None:
    points, generator = points_up_to(20_000), np.random.default_rng(0)
    concentrated = np.ceil(1_000 * np.exp(0.2 * generator.standard_normal(64)))
    found = random_search_test(*observe(concentrated, points), points, 1.0)
    assert found.p_value == 1 / 1000 and found.cv < 0.3 and found.random_search_cv > 0.95
    spread_out = np.ceil(300 * np.exp(2.5 * generator.standard_normal(64)))
    found = random_search_test(*observe(spread_out, points), points, 1.0)
    assert found.p_value < 0.01


def test_units_do_not_matter() -> None:
    points = points_up_to(3_000)
    times, solved = observe(np.random.default_rng(1).geometric(1 / 500, 40), points)
    one = random_search_test(times, solved, points, 1.0)
    other = random_search_test(32 * times, solved, 32 * points, 32.0)
    assert (one.p_value, one.statistic) == pytest.approx((other.p_value, other.statistic))
    assert other.mean == pytest.approx(32 * one.mean)


def test_a_fast_search_on_a_coarse_grid_keeps_its_law() -> None:
    # One in three steps solves: a continuous exponential law would be rejected outright.
    points, generator = points_up_to(200), np.random.default_rng(2)
    p_values = [
        random_search_test(*observe(generator.geometric(1 / 3, 128), points), points, 1.0).p_value
        for _ in range(60)
    ]
    assert 0.3 < np.mean(p_values) < 0.7


def test_too_few_solved() -> None:
    times, solved = np.full(10, 100.0), np.arange(10) < 3
    assert random_search_test(times, solved, np.array([0.0, 50, 100]), 1.0) is None


def test_the_coefficient_of_variation_of_a_cut_geometric_law() -> None:
    assert restricted_geometric_cv(1e-3, 100_000) == pytest.approx(1, abs=1e-3)
    assert restricted_geometric_cv(1.0, 50) == 0
    assert restricted_geometric_cv(0.3, 10_000) == pytest.approx(0.7**0.5)
    draws = np.minimum(np.random.default_rng(0).geometric(0.05, 400_000), 12)
    assert restricted_geometric_cv(0.05, 12) == pytest.approx(draws.std() / draws.mean(), rel=5e-3)


@pytest.mark.slow
@pytest.mark.parametrize(("replicas", "budget"), [(128, 20_000), (32, 700)])
def test_the_level(replicas: int, budget: int) -> None:
    """4% to 6% false alarms at 5%, on geometric times, whole and censored."""
    points, generator = points_up_to(budget), np.random.default_rng(11)
    alarms = [
        random_search_test(
            *observe(generator.geometric(1 / 600, replicas), points), points, 1.0
        ).p_value
        <= 0.05
        for _ in range(6_000)
    ]
    print(f"R={replicas}, budget {budget}: {np.mean(alarms):.4f}")
    assert 0.04 <= np.mean(alarms) <= 0.06
