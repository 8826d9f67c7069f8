"""Nominal 95% intervals cover 92% to 98% over 1,000 simulated experiments.

`pytest -m slow tests/metrics/test_coverage.py -s` prints the figures of docs/metrics.md.
Every experiment has one budget, at which 30% of the replicas are censored.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.stats import norm

from synthbench.metrics.comparison import probability_of_superiority, ratio_of_medians
from synthbench.metrics.estimate import Estimate
from synthbench.metrics.proportion import success_rate
from synthbench.metrics.scaling import fit_power_law
from synthbench.metrics.survival import kaplan_meier_median, restricted_mean
from synthbench.metrics.time_to_target import TimesToTarget

EXPERIMENTS, CENSORED, SPREAD = 1_000, 0.3, 0.3
BUDGET = float(np.exp(SPREAD * norm.ppf(1 - CENSORED)))
RATIO, EXPONENT = 1 / 1.3, 2.0

pytestmark = [pytest.mark.slow, pytest.mark.parametrize("replicas", [16, 32, 128])]


def log_normal(normals: np.ndarray, median: float = 1.0) -> TimesToTarget:
    times = median * np.exp(SPREAD * normals)
    return TimesToTarget(np.minimum(times, BUDGET), times <= BUDGET)


def check(
    name: str, replicas: int, truth: float, estimate: Callable[[np.random.Generator], Estimate]
) -> None:
    generator, covered, unbounded = np.random.default_rng(0), 0, 0
    for _ in range(EXPERIMENTS):
        found = estimate(generator)
        high = np.inf if found.high is None else found.high
        low = np.inf if found.low is None else found.low
        covered += low <= truth <= high
        unbounded += np.isinf(high)
    share, open_share = covered / EXPERIMENTS, unbounded / EXPERIMENTS
    print(f"{name}, R={replicas}: {100 * share:.1f}% covered, {100 * open_share:.1f}% open")
    assert 0.92 <= share <= 0.98
    # An interval that is never closed would cover for nothing. With 30% censored the median's
    # is often open: the sign test needs 12 solved of 16, 22 of 32.
    assert open_share < 0.05 or (name == "KM median" and replicas < 128)


def test_median(replicas: int) -> None:
    def estimate(generator: np.random.Generator) -> Estimate:
        reached = log_normal(generator.standard_normal(replicas))
        return kaplan_meier_median(reached.times, reached.solved)

    check("KM median", replicas, 1.0, estimate)


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8])
def test_ratio_of_medians(replicas: int, correlation: float) -> None:
    """Paired seeds, more or less alike; the slower model has 30% censored."""

    def estimate(generator: np.random.Generator) -> Estimate:
        one, other = generator.standard_normal((2, replicas))
        second = correlation * one + (1 - correlation**2) ** 0.5 * other
        return ratio_of_medians(log_normal(one, RATIO), log_normal(second), paired=True)

    check(f"ratio of medians, correlation {correlation:g}", replicas, RATIO, estimate)


@pytest.mark.parametrize("gap", [0.05, 0.2])
def test_ratio_of_medians_seen_at_evaluations(replicas: int, gap: float) -> None:
    """Crossings are seen at the next evaluation; the medians are somewhere between two of them."""
    points = BUDGET * (1 + gap) ** np.arange(-60.0, 1)

    def seen(normals: np.ndarray, median: float) -> TimesToTarget:
        exact = log_normal(normals, median)
        places = np.maximum(np.searchsorted(points, exact.times * (1 - 1e-12)), 1)
        return TimesToTarget(points[places], exact.solved, points[places - 1])

    shifts = np.random.default_rng(2)

    def estimate(generator: np.random.Generator) -> Estimate:
        one, other = generator.standard_normal((2, replicas))
        second = 0.5 * one + 0.75**0.5 * other
        place = shifts.uniform(1 - gap, 1)
        return ratio_of_medians(seen(one, RATIO * place), seen(second, place), paired=True)

    check(f"ratio of medians, evaluations {gap:.0%} apart", replicas, RATIO, estimate)


def test_restricted_mean(replicas: int) -> None:
    draws = np.random.default_rng(1).standard_normal(4_000_000)
    truth = float(np.minimum(np.exp(SPREAD * draws), BUDGET).mean())

    def estimate(generator: np.random.Generator) -> Estimate:
        reached = log_normal(generator.standard_normal(replicas))
        return restricted_mean(reached.times, reached.solved, BUDGET)

    check("restricted mean", replicas, truth, estimate)


def test_success_rate(replicas: int) -> None:
    def estimate(generator: np.random.Generator) -> Estimate:
        solved = int((generator.random(replicas) >= CENSORED).sum())
        return success_rate(solved, replicas)

    check("success rate", replicas, 1 - CENSORED, estimate)


def test_superiority(replicas: int) -> None:
    # P(first < second) + P(both censored) / 2, by numerical integration over the first's law.
    end, shift = norm.ppf(1 - CENSORED), np.log(RATIO) / SPREAD
    z = np.linspace(-8, end - shift, 200_001)
    truth = float(np.trapezoid(norm.pdf(z) * norm.sf(z + shift), z))
    truth += norm.sf(end - shift) * norm.sf(end) / 2

    def estimate(generator: np.random.Generator) -> Estimate:
        one, other = generator.standard_normal((2, replicas))
        return probability_of_superiority(log_normal(one, RATIO), log_normal(other))

    check("probability of superiority", replicas, truth, estimate)


def test_exponent(replicas: int) -> None:
    """Four sizes under one budget, which censors hardly any of the small and most of the large."""
    logs = np.repeat(np.log([10.0, 20, 40, 80]), replicas)
    large = np.random.default_rng(1).standard_normal(400_000)
    everything = EXPONENT * np.tile(np.log([10.0, 20, 40, 80]), 100_000) + SPREAD * large
    budget = float(np.quantile(everything, 1 - CENSORED))

    def estimate(generator: np.random.Generator) -> Estimate:
        times = EXPONENT * logs + SPREAD * generator.standard_normal(len(logs))
        found = fit_power_law(np.exp(logs), np.exp(np.minimum(times, budget)), times <= budget)
        assert found is not None
        return found.exponent

    check("exponent", replicas, EXPONENT, estimate)
