"""Kaplan-Meier against hand computation, and its invariances.

`pytest -m slow` simulates its coverage more often, and of more counts of replicas.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthbench.metrics.survival import kaplan_meier_median

slow = pytest.mark.slow
# Freireich et al. 1963, remission weeks under 6-mercaptopurine; + marks censored ones.
LEUKEMIA = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+".split()


def parse(words: list[str]) -> tuple[np.ndarray, np.ndarray]:
    times = np.array([float(word.strip("+")) for word in words])
    return times, np.array([not word.endswith("+") for word in words])


def by_hand(times: np.ndarray, solved: np.ndarray) -> tuple[float | None, ...]:
    """Product-limit estimate, Greenwood variance, log(-log) band, written out."""
    survival, greenwood = 1.0, 0.0
    found = [None, 0.0 if 0.025 ** (1 / len(times)) <= 0.5 else None, None]
    for t in np.unique(times[solved]):
        at_risk, events = (times >= t).sum(), ((times == t) & solved).sum()
        survival *= 1 - events / at_risk
        if survival > 0:
            greenwood += events / (at_risk * (at_risk - events))
            error = 1.959963984540054 * math.sqrt(greenwood) / abs(math.log(survival))
            low, high = (survival ** math.exp(sign * error) for sign in (1, -1))
        else:
            low, high = 0.0, 1 - 0.025 ** (1 / len(times))
        for index, value in enumerate((survival, low, high)):
            if found[index] is None and value <= 0.5 + 1e-12:
                found[index] = float(t)
    return tuple(found)


def test_published_example() -> None:
    estimate = kaplan_meier_median(*parse(LEUKEMIA))
    # survival::survfit(conf.type = "log-log") in R: median 23, 95% interval 13 to NA.
    assert (estimate.value, estimate.low, estimate.high) == (23.0, 13.0, None)


@given(
    st.lists(st.tuples(st.integers(1, 30), st.booleans()), min_size=1, max_size=40).filter(
        lambda rows: any(solved for _, solved in rows)
    )
)
def test_agrees_with_the_definition(rows: list[tuple[int, bool]]) -> None:
    times = np.array([t for t, _ in rows], float)
    solved = np.array([s for _, s in rows])
    estimate = kaplan_meier_median(times, solved)
    assert (estimate.value, estimate.low, estimate.high) == by_hand(times, solved)


def test_without_censoring_it_is_the_median() -> None:
    times = np.array([5.0, 1.0, 4.0, 2.0, 3.0])
    estimate = kaplan_meier_median(times, np.ones(5, bool))
    assert estimate.value == 3.0 and estimate.low == 0.0


def test_nothing_solved_is_beyond_the_budget() -> None:
    estimate = kaplan_meier_median(np.full(4, 10.0), np.zeros(4, bool))
    assert (estimate.value, estimate.low, estimate.high) == (None, None, None)


def test_everyone_at_one_time() -> None:
    estimate = kaplan_meier_median(np.full(16, 7.0), np.ones(16, bool))
    assert (estimate.value, estimate.low, estimate.high) == (7.0, 7.0, 7.0)


def test_one_replica_bounds_nothing() -> None:
    estimate = kaplan_meier_median(np.array([7.0]), np.ones(1, bool))
    assert (estimate.value, estimate.low, estimate.high) == (7.0, 0.0, None)


@pytest.mark.parametrize(("trials", "fewest"), [(300, 266), pytest.param(1000, 915, marks=slow)])
@pytest.mark.parametrize(
    "replicas", [1, 3, 10, *(pytest.param(count, marks=slow) for count in (2, 4, 6))]
)
def test_few_replicas_are_covered(replicas: int, trials: int, fewest: int) -> None:
    generator, hits = np.random.default_rng(replicas), 0
    for times in generator.exponential(1.0, (trials, replicas)):
        estimate = kaplan_meier_median(times, np.ones(replicas, bool))
        hits += estimate.low <= np.log(2) <= (np.inf if estimate.high is None else estimate.high)
    assert hits >= fewest, f"nominal {0.95 * trials:.0f} of {trials}"


@pytest.mark.parametrize("replicas", [8, 32])
def test_censored_replicas_count(replicas: int) -> None:
    times = np.arange(1.0, replicas + 1)
    all_solved = kaplan_meier_median(times, np.ones(replicas, bool))
    half = np.arange(replicas) < replicas // 2 - 1
    some_solved = kaplan_meier_median(np.where(half, times, replicas), half)
    assert all_solved.value == replicas / 2 and some_solved.value is None
