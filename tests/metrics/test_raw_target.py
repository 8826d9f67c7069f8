"""A target that is a score, and replicas that were watched for less than the budget."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import mannwhitneyu

from synthbench.metrics.comparison import compare
from synthbench.metrics.survival import median_time
from synthbench.metrics.time_to_target import Target, TimesToTarget, times_to_target
from synthbench.metrics.trajectories import Trajectories
from synthbench.metrics.transition import find_transitions


def trajectories(*scores: list[float]) -> Trajectories:
    """Progress from 2 (trivial) down to 0 (ceiling)."""
    table = pa.table(
        {
            "replica": [r for r, row in enumerate(scores) for _ in row],
            "step": [step for row in scores for step in range(len(row))],
            "kl": [score for row in scores for score in row],
            "progress": [1 - score / 2 for row in scores for score in row],
        }
    )
    return Trajectories.from_blocks([table], batch_size=10, step_flops=1)


LOWER = Target(0.96, 2, 100, score=1.2, higher_is_better=False)


def test_a_raw_target_counts_on_its_side() -> None:
    found = times_to_target(trajectories([2, 1.2, 1.1, 1], [2, 1.2, 1.3, 1.3]), LOWER)
    assert found.times.tolist() == [10, 100] and found.solved.tolist() == [True, False]
    higher = Target(0.96, 1, 100, score=2.0)
    assert times_to_target(trajectories([1.9, 2.0]), higher).times.tolist() == [10]
    assert not LOWER.met(np.array([1.0]), np.array([np.nan])).any()


def test_a_raw_target_completes_the_transition() -> None:
    (shape,) = find_transitions(trajectories([2, 2, 1.2, 1.1]), LOWER)
    assert shape.completion == 20, "progress is 0.4 there, and replicas stop"


def test_those_that_left_are_censored_where_they_left() -> None:
    found = times_to_target(trajectories([2, 2], [2, 1, 1]), LOWER, np.array([10.0, 100.0]))
    assert found.times.tolist() == [10, 10] and found.solved.tolist() == [False, True]
    assert found.all_watched
    assert not TimesToTarget(np.array([5.0, 9.0]), np.array([False, True])).all_watched
    # Kaplan-Meier by hand: at 30 one of the two that are left, at 40 the other.
    assert median_time([None, None, 30.0, 40.0], np.array([10.0, 20, 99, 99])).value == 30


def test_a_pair_that_was_not_watched_long_enough_is_a_tie() -> None:
    first = TimesToTarget(np.array([30.0, 40.0]), np.array([True, True]))
    second = TimesToTarget(np.array([10.0, 50.0]), np.array([False, False]))
    # Against the one that left at 10: unknown; the one that left at 50 was seen unsolved.
    assert compare(first, second, paired=False).superiority.value == 0.75
    assert compare(second, first, paired=False).superiority.value == 0.25


def test_with_one_budget_it_is_mann_whitney() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        groups = []
        for count in (5, 9):
            times = rng.integers(1, 12, count).astype(float)
            groups.append(TimesToTarget(np.minimum(times, 8), times <= 8))
        one, two = (np.where(g.solved, g.times, np.inf) for g in groups)
        expected = mannwhitneyu(two, one, method="asymptotic").statistic / 45
        assert compare(*groups, paired=False).superiority.value == expected


def test_a_median_beyond_an_early_end_bounds_the_ratio_by_the_end() -> None:
    stopped = TimesToTarget(np.full(8, 20.0), np.zeros(8, bool))
    slow = TimesToTarget(np.full(8, 100.0), np.ones(8, bool))
    ratio = compare(stopped, slow, paired=False).ratio_of_medians
    assert ratio.value is None and ratio.low == pytest.approx(0.2) and ratio.high is None
