"""Regret of trajectories whose area is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthbench.metrics.regret import regret

BUDGET = 10_000.0
SAMPLES = np.concatenate([[0.0], np.geomspace(10, BUDGET, 61)])


def test_never_and_always() -> None:
    assert regret(SAMPLES, np.zeros(62), BUDGET) == pytest.approx(1)
    assert regret(SAMPLES, np.ones(62), BUDGET) == pytest.approx(0)


def test_a_ramp_over_the_last_two_decades() -> None:
    progress = np.clip((np.log10(np.maximum(SAMPLES, 1)) - 2) / 2, 0, 1)
    # Two decades at distance 1, two at one half on average, out of four.
    assert regret(SAMPLES, progress, BUDGET) == pytest.approx(3 / 4)


def test_what_was_measured_at_step_0_holds_up_to_the_first_evaluation() -> None:
    samples, progress = np.array([0.0, 100, BUDGET]), np.array([0.5, 1.0, 1.0])
    assert regret(samples, progress, BUDGET) == pytest.approx(0.5 * 2 / 4)


def test_stopping_when_solved_costs_nothing() -> None:
    progress = (SAMPLES >= 900).astype(float)
    stopped = SAMPLES <= 1_200
    whole = regret(SAMPLES, progress, BUDGET)
    assert regret(SAMPLES[stopped], progress[stopped], BUDGET) == pytest.approx(whole)


def test_a_diverged_replica_is_trivial_from_there_on() -> None:
    samples, progress = np.array([0.0, 100, 1_000]), np.array([0.0, 1.0, 1.0])
    assert regret(samples, progress, BUDGET, diverged=True) == pytest.approx((2 + 0 + 1) / 4)
    blown = np.array([0.0, 1.0, np.nan])
    assert regret(samples, blown, BUDGET, diverged=True) == pytest.approx((2 + 2) / 4)
    assert regret(np.array([0.0]), np.array([0.0]), BUDGET, diverged=True) == 1


@given(st.lists(st.floats(-3, 3), min_size=2, max_size=62))
def test_always_between_0_and_1(progress: list[float]) -> None:
    assert 0 <= regret(SAMPLES[: len(progress)], np.array(progress), BUDGET) <= 1 + 1e-12


@given(st.floats(10, 9_000), st.floats(10, 9_000))
def test_learning_earlier_is_never_worse(one: float, other: float) -> None:
    early, late = sorted((one, other))
    values = [regret(SAMPLES, (at <= SAMPLES).astype(float), BUDGET) for at in (early, late)]
    assert values[0] <= values[1]
