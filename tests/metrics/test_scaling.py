"""Power-law fits against least squares, lifelines, and simulations with known exponents.

`pytest -m slow` adds simulations, and other data for lifelines.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines import LogNormalAFTFitter
from scipy.stats import f, linregress, t

from synthbench.metrics.scaling import fit_power_law

SIZES = np.repeat([10.0, 20, 40, 80], 12)


def draw(seed: int, spread: float = 0.4) -> np.ndarray:
    return 5 * SIZES**1.5 * np.exp(spread * np.random.default_rng(seed).standard_normal(48))


def test_without_censoring_it_is_least_squares_with_students_interval() -> None:
    times = draw(0)
    found = fit_power_law(SIZES, times, np.ones(48, bool))
    line = linregress(np.log(SIZES), np.log(times))
    half = t.ppf(0.975, 46) * line.stderr
    assert found.exponent.value == pytest.approx(line.slope, abs=1e-6)
    assert found.coefficient == pytest.approx(np.exp(line.intercept), rel=1e-5)
    assert found.exponent.low == pytest.approx(line.slope - half, abs=1e-4)
    assert found.exponent.high == pytest.approx(line.slope + half, abs=1e-4)
    assert found.predict(np.array([30.0])) == pytest.approx(
        np.exp(line.intercept) * 30**line.slope, rel=1e-5
    )


@pytest.mark.parametrize("seed", [0, *(pytest.param(s, marks=pytest.mark.slow) for s in (1, 2))])
def test_with_censoring_it_is_lifelines_log_normal_model(seed: int) -> None:
    times, budget = draw(seed), 2_000.0
    solved = times <= budget
    assert 0.15 < 1 - solved.mean() < 0.45
    found = fit_power_law(SIZES, np.minimum(times, budget), solved)
    frame = pd.DataFrame({"T": np.minimum(times, budget), "E": solved, "x": np.log(SIZES)})
    fitted = LogNormalAFTFitter().fit(frame, "T", "E")
    assert found.exponent.value == pytest.approx(fitted.params_[("mu_", "x")], rel=1e-3)
    assert np.log(found.coefficient) == pytest.approx(
        fitted.params_[("mu_", "Intercept")], rel=2e-3
    )
    assert np.log(found.spread) == pytest.approx(fitted.params_[("sigma_", "Intercept")], abs=5e-3)
    # Its Wald interval: the profile likelihood's is close, and a little wider.
    wald = fitted.confidence_intervals_.loc[("mu_", "x")].to_numpy()
    assert [found.exponent.low, found.exponent.high] == pytest.approx(wald, abs=0.05)


def test_dropping_the_censored_would_bias_it() -> None:
    times = draw(7)
    solved = times <= 2_000
    kept = fit_power_law(SIZES, np.minimum(times, 2_000), solved).exponent
    dropped = fit_power_law(SIZES[solved], times[solved], solved[solved]).exponent
    assert kept.low < 1.5 < kept.high and dropped.value < kept.value


def test_one_solved_size_says_nothing() -> None:
    times = np.minimum(draw(1), 100.0)
    assert fit_power_law(SIZES, times, SIZES == 10) is None


def test_one_replica_in_the_second_size_leaves_the_interval_wide() -> None:
    solved = (SIZES == 10) | (np.arange(48) == 12)
    found = fit_power_law(SIZES, np.where(solved, draw(1), 300.0), solved)
    assert found.exponent.high is None or found.exponent.high - found.exponent.low > 0.5


def test_exponential_growth_is_not_a_power_law() -> None:
    noise = np.exp(0.1 * np.random.default_rng(0).standard_normal(48))
    assert fit_power_law(SIZES, np.exp(SIZES / 10) * noise, np.ones(48, bool)).curvature < 1e-6
    p_values = [fit_power_law(SIZES, draw(s), np.ones(48, bool)).curvature for s in range(20)]
    assert 0.3 < np.median(p_values) < 0.7
    two = SIZES <= 20
    assert fit_power_law(SIZES[two], draw(0)[two], np.ones(24, bool)).curvature is None


@pytest.mark.parametrize("seeds", [1, 2, 8])
def test_replicas_on_a_line_exactly_bound_nothing(seeds: int) -> None:
    """One seed a size, or all at one evaluation: the likelihood has no maximum."""
    for sizes in ([10, 20], [10, 20, 40]):
        x = np.repeat(np.array(sizes, float), seeds)
        found = fit_power_law(x, 3 * x**2, np.ones(len(x), bool))
        assert found.exponent.value == pytest.approx(2, abs=1e-6)
        assert found.exponent.low is None and found.exponent.high is None
        assert found.curvature is None
    for draw_of in range(10):
        times = np.random.default_rng(draw_of).uniform(1, 100, 2)
        found = fit_power_law(np.array([10.0, 20.0]), times, np.ones(2, bool))
        assert found.exponent.low is None


@pytest.mark.parametrize("seeds", [2, 5])
def test_without_censoring_curvature_is_the_test_of_lack_of_fit(seeds: int) -> None:
    """The F test of one mean per size against the line (Draper & Smith 1998, section 2.1)."""
    x = np.repeat([10.0, 20.0, 40.0, 80.0], seeds)
    for draw_of in range(3):
        noise = np.random.default_rng(draw_of).normal(0, 0.3, len(x))
        logs, y = np.log(x), 2 * np.log(x) + noise
        within = sum(((y[x == size] - y[x == size].mean()) ** 2).sum() for size in np.unique(x))
        about = ((y - np.polyval(np.polyfit(logs, y, 1), logs)) ** 2).sum()
        ratio = ((about - within) / (4 - 2)) / (within / (len(x) - 4))
        found = fit_power_law(x, np.exp(y), np.ones(len(x), bool)).curvature
        assert found == pytest.approx(f.sf(ratio, 4 - 2, len(x) - 4), abs=1e-5)


@pytest.mark.slow
def test_few_seeds_do_not_reject_a_power_law_too_often() -> None:
    x, generator = np.repeat([10.0, 20.0, 40.0], 2), np.random.default_rng(4)
    alarms = [
        fit_power_law(x, x**2 * np.exp(generator.normal(0, 0.3, 6)), np.ones(6, bool)).curvature
        <= 0.05
        for _ in range(400)
    ]
    assert 0.03 <= np.mean(alarms) <= 0.075, "the chi-squared law gives 0.2"
