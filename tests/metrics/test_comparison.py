"""Comparisons of two models: against lifelines, brute force, and what must be symmetric."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.statistics import logrank_test

from synthbench.metrics.bootstrap import interpolated_medians, weighted_medians
from synthbench.metrics.comparison import (
    compare,
    log_rank_p_value,
    probability_of_superiority,
    ratio_of_medians,
)
from synthbench.metrics.survival import kaplan_meier_median
from synthbench.metrics.time_to_target import TimesToTarget

BUDGET = 100.0


def draw(generator: np.random.Generator, replicas: int, median: float = 60) -> TimesToTarget:
    times = np.round(median * np.exp(generator.normal(0, 0.5, replicas)))
    return TimesToTarget(np.minimum(times, BUDGET), times <= BUDGET)


def test_log_rank_against_lifelines() -> None:
    generator = np.random.default_rng(0)
    for _ in range(10):
        first, second = draw(generator, 20), draw(generator, 31, 80)
        expected = logrank_test(first.times, second.times, first.solved, second.solved).p_value
        assert log_rank_p_value(first, second) == pytest.approx(expected, rel=1e-9)


def test_log_rank_where_nothing_can_differ() -> None:
    none = TimesToTarget(np.full(8, BUDGET), np.zeros(8, bool))
    same = TimesToTarget(np.full(8, 50.0), np.ones(8, bool))
    assert log_rank_p_value(none, none) == log_rank_p_value(same, same) == 1


def test_log_rank_of_all_at_one_instant_against_none() -> None:
    """Eight events of sixteen at risk, all on one side: z^2 is 15 exactly."""
    none = TimesToTarget(np.full(8, BUDGET), np.zeros(8, bool))
    same = TimesToTarget(np.full(8, 50.0), np.ones(8, bool))
    expected = logrank_test(same.times, none.times, same.solved, none.solved).p_value
    assert log_rank_p_value(same, none) == pytest.approx(expected, rel=1e-9)
    assert expected == pytest.approx(0.000107, rel=0.01)


def test_superiority_counts_pairs() -> None:
    generator = np.random.default_rng(1)
    for _ in range(10):
        first, second = draw(generator, 12), draw(generator, 17, 75)
        wins = 0.0
        for time, solved in zip(first.times, first.solved, strict=True):
            for other, other_solved in zip(second.times, second.solved, strict=True):
                a, b = time if solved else np.inf, other if other_solved else np.inf
                wins += 1.0 if a < b else 0.5 if a == b else 0.0
        found = probability_of_superiority(first, second)
        assert found.value == pytest.approx(wins / (12 * 17))
        assert 0 <= found.low < found.value < found.high <= 1
        mirrored = probability_of_superiority(second, first)
        assert (mirrored.low, mirrored.high) == pytest.approx((1 - found.high, 1 - found.low))


def test_superiority_of_separate_samples_is_not_certain() -> None:
    early = TimesToTarget(np.arange(1.0, 9), np.ones(8, bool))
    late = TimesToTarget(np.arange(11.0, 19), np.ones(8, bool))
    found = probability_of_superiority(early, late)
    # Newcombe 2006, method 5, at theta = 1: (1 - low)^2 = z^2 V(low), solved by hand.
    low = found.low
    spread = 1 + 7 * ((1 - low) / (2 - low) + low / (1 + low))
    assert found.value == found.high == 1 and 0.6 < low < 0.9
    assert (1 - low) ** 2 == pytest.approx(1.959964**2 * low * (1 - low) * spread / 64, rel=1e-4)
    assert probability_of_superiority(late, early).value == 0


def test_weighted_medians_are_kaplan_meier_medians_of_the_resample() -> None:
    generator = np.random.default_rng(2)
    for _ in range(10):
        reached = draw(generator, 15, 80)
        weights = generator.multinomial(15, np.full(15, 1 / 15), size=20).astype(float)
        for row, median in zip(weights, weighted_medians(reached, weights), strict=True):
            chosen = np.repeat(np.arange(15), row.astype(int))
            expected = kaplan_meier_median(reached.times[chosen], reached.solved[chosen]).value
            assert median == (np.inf if expected is None else expected)


def test_the_ratio_is_one_against_itself_and_only_pairs_know_it() -> None:
    first = draw(np.random.default_rng(3), 40, 50)
    paired = ratio_of_medians(first, first, paired=True)
    assert (paired.low, paired.value, paired.high) == (1, 1, 1)
    independent = ratio_of_medians(first, first, paired=False)
    assert independent.low < 0.95 and independent.high > 1.05


def test_the_ratio_of_a_scaled_model_is_the_scale() -> None:
    first = draw(np.random.default_rng(4), 40, 30)
    third = TimesToTarget(first.times / 3, first.solved)
    found = ratio_of_medians(first.within(90), third.within(30), paired=True)
    assert (found.low, found.value, found.high) == pytest.approx((3, 3, 3))


def test_a_median_beyond_the_budget_only_bounds_the_ratio() -> None:
    fast = TimesToTarget(np.full(20, 10.0), np.ones(20, bool))
    stuck = TimesToTarget(np.full(20, 80.0), np.zeros(20, bool))
    below = ratio_of_medians(fast, stuck, paired=True)
    assert (below.value, below.low, below.high) == (None, 0, 10 / 80)
    above = ratio_of_medians(stuck, fast, paired=True)
    assert (above.value, above.low, above.high) == (None, 8, None)
    neither = ratio_of_medians(stuck, stuck, paired=True)
    assert (neither.value, neither.low, neither.high) == (None, 0, None)


def test_all_three_agree_on_who_is_faster() -> None:
    generator = np.random.default_rng(5)
    found = compare(draw(generator, 64, 30), draw(generator, 64, 70), paired=False)
    assert found.ratio_of_medians.high < 1 and found.superiority.low > 0.5
    assert found.log_rank < 1e-6


@pytest.mark.parametrize("replicas", [1, 3])
def test_a_few_replicas_do_not_bound_the_ratio(replicas: int) -> None:
    one = TimesToTarget(np.arange(10.0, 10 + replicas), np.ones(replicas, bool))
    two = TimesToTarget(2 * one.times, one.solved)
    found = ratio_of_medians(one, two, paired=True)
    assert found.value == 0.5 and found.low == 0 and found.high is None


def test_medians_of_grouped_data_by_hand() -> None:
    ends = np.array([10.0, 10, 20, 20, 20, 20, 30, 30])
    reached = TimesToTarget(ends, np.ones(8, bool), ends - 10)
    # A quarter had crossed by 10, three quarters by 20: half of them at 15.
    assert interpolated_medians(reached, np.ones((1, 8))) == pytest.approx([15])
    # Weights stand for copies: of (2, 0, 1, 1, 0, 0, 4, 4) a third had crossed by 20, all by 30.
    weights = np.array([[2.0, 0, 1, 1, 0, 0, 4, 4]])
    assert interpolated_medians(reached, weights) == pytest.approx([20 + 10 * (1 / 6) / (2 / 3)])
    # Censored at the end of the budget beside one that was solved there.
    censored = TimesToTarget(
        np.array([10.0, 20, 20, 20]),
        np.array([True, True, False, False]),
        np.array([0.0, 10, 20, 20]),
    )
    assert interpolated_medians(censored, np.ones((1, 4))) == pytest.approx([20])
    assert np.isinf(interpolated_medians(censored, np.array([[0.0, 1, 1, 1]])))


def test_interpolation_stays_between_the_evaluations_and_leaves_exact_times_alone() -> None:
    generator = np.random.default_rng(4)
    exact = draw(generator, 40)
    weights = generator.multinomial(40, np.full(40, 1 / 40), size=200).astype(float)
    medians = weighted_medians(exact, weights)
    np.testing.assert_array_equal(interpolated_medians(exact, weights), medians)
    seen = TimesToTarget(exact.times, exact.solved, exact.times - 1)
    found = interpolated_medians(seen, weights)
    finite = np.isfinite(medians)
    np.testing.assert_array_equal(np.isfinite(found), finite)
    assert (found[finite] <= medians[finite]).all()
    assert (found[finite] >= medians[finite] - 1).all()
    assert len(np.unique(found[finite])) > 2 * len(np.unique(medians[finite]))
