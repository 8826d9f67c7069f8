"""The minimum detectable effect: the test that it promises finds it as often as it says."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import norm

from synthbench.metrics.comparison import log_rank_p_value
from synthbench.metrics.power import detectable_ratio, log_rank_statistic, slowed
from synthbench.metrics.time_to_target import TimesToTarget

NEVER = 1e9


def censored(times: np.ndarray, budget: float) -> TimesToTarget:
    return TimesToTarget(np.minimum(times, budget), times <= budget)


def typical(replicas: int, spread: float, budget: float) -> TimesToTarget:
    """Log-normal times around 100 without chance: their quantiles."""
    places = norm.ppf((np.arange(replicas) + 0.5) / replicas)
    return censored(100 * np.exp(spread * places), budget)


@given(
    st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=1, max_size=12),
)
@settings(deadline=None, max_examples=40)
def test_the_statistic_is_that_of_the_p_value(one: list, two: list) -> None:
    first, second = (
        TimesToTarget(np.array([t for t, _ in r], float), np.array([s for _, s in r]))
        for r in (one, two)
    )
    statistic = log_rank_statistic(first, second)
    assert statistic == pytest.approx(-log_rank_statistic(second, first))
    expected = log_rank_p_value(first, second)
    assert 2 * norm.sf(abs(statistic)) == pytest.approx(expected, rel=1e-6, abs=1e-12)


def test_the_statistic_is_positive_where_the_first_is_faster() -> None:
    fast, slow = typical(16, 0.3, NEVER), slowed(typical(16, 0.3, NEVER), 2.0, NEVER)
    assert log_rank_statistic(fast, slow) > 3 > -3 > log_rank_statistic(slow, fast)


@pytest.mark.parametrize("paired", [False, True])
@pytest.mark.parametrize(
    ("replicas", "spread", "budget", "level"),
    [
        (16, 0.5, NEVER, 0.05),
        (16, 0.3, NEVER, 0.05 / 8),
        (32, 0.3, NEVER, 0.05),
        (32, 0.5, 128.0, 0.05),
        (32, 1.0, 100.0, 0.05 / 4),
        (64, 0.3, 90.0, 0.05 / 8),
    ],
)
def test_what_is_detectable_is_detected_four_times_in_five(
    replicas: int, spread: float, budget: float, level: float, paired: bool
) -> None:
    factor = detectable_ratio(typical(replicas, spread, budget), budget, level)
    assert factor is not None and 1 < factor < 10
    draws, wanted, found = np.random.default_rng(3), norm.ppf(1 - level / 2), 0
    trials = 400
    for _ in range(trials):
        noise = draws.normal(size=(2, replicas))
        if paired:  # half of the variance is that of the seed
            noise = np.sqrt(0.5) * (noise + draws.normal(size=replicas))
        first, second = 100 * np.exp(spread * noise) * np.array([[1.0], [factor]])
        statistic = log_rank_statistic(censored(first, budget), censored(second, budget))
        found += statistic >= wanted
    power = found / trials
    print(
        f"\n{replicas} replicas, {spread=}, {budget=:g}, {level=:.3g}: {factor:.2f}x, {power:.2f}"
    )
    # Independent replicas as promised; what seeds share only helps.
    assert 0.73 <= power <= 0.92
    if paired:
        assert power >= 0.78


def test_more_replicas_and_less_spread_detect_less() -> None:
    factors = [detectable_ratio(typical(r, 0.4, NEVER), NEVER) for r in (8, 16, 32, 64, 128)]
    assert factors == sorted(factors, reverse=True)
    spreads = [detectable_ratio(typical(32, s, NEVER), NEVER) for s in (0.1, 0.2, 0.4, 0.8)]
    assert spreads == sorted(spreads)
    # On the scale of logarithms it grows as the spread does.
    ratio = np.log(spreads[3]) / np.log(spreads[0])
    assert ratio == pytest.approx(8, rel=0.1)


def test_a_stricter_level_and_more_power_need_more() -> None:
    times = typical(32, 0.4, NEVER)
    usual = detectable_ratio(times, NEVER)
    assert detectable_ratio(times, NEVER, level=0.05 / 10) > usual
    assert detectable_ratio(times, NEVER, power=0.95) > usual


def test_nothing_is_told_from_a_model_that_hardly_ever_solves_it() -> None:
    times = np.array([50.0, 80.0, *[200.0] * 14])
    assert detectable_ratio(censored(times, 100.0), 100.0) is None
    assert detectable_ratio(censored(np.full(16, 200.0), 100.0), 100.0) is None


def test_slowed_replicas_are_censored_at_the_budget() -> None:
    found = slowed(censored(np.array([10.0, 40.0, 60.0, 300.0]), 100.0), 2.0, 100.0)
    assert found.times.tolist() == [20.0, 80.0, 100.0, 100.0]
    assert found.solved.tolist() == [True, True, False, False]
