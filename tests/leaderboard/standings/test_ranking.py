"""Ranking against boards computed by hand, and against simulated truth."""

from __future__ import annotations

import numpy as np
import pytest

from synthbench.leaderboard.standings.ranking import (
    CellTimes,
    RankRange,
    geometric_mean,
    log_flops,
    log_samples,
    pareto_front,
    performance_profile,
    rank_ranges,
    resampled_medians,
    seed_weights,
)
from synthbench.metrics.time_to_target import TimesToTarget


def cell(times: list[float], budget: float = 100.0, price: float = 1.0) -> CellTimes:
    """inf: censored at the budget."""
    found = np.array(times, float)
    reached = TimesToTarget(np.minimum(found, budget), np.isfinite(found))
    return CellTimes(reached, budget, price)


def medians(cells: list[CellTimes]) -> np.ndarray:
    return resampled_medians(cells, seed_weights(len(cells[0].reached.times)))


INF = np.inf


def test_medians_by_hand_and_unsolved_cells_at_the_budget() -> None:
    cells = [cell([10, 20, 30, 40]), cell([10, INF, INF, INF]), cell([INF] * 4, budget=50)]
    found = medians(cells)
    assert found[:, 0].tolist() == [20, INF, INF]
    assert np.exp(log_samples(cells, found)[:, 0]) == pytest.approx([20, 100, 50])


def test_the_geometric_mean_by_hand() -> None:
    mine, reference = [cell([10] * 8), cell([40] * 8)], [cell([20] * 8), cell([20] * 8)]
    logs = [log_samples(cells, medians(cells)) for cells in (mine, reference)]
    found = geometric_mean(logs[0] - logs[1])
    # sqrt(1/2 x 2) = 1; nothing varies, so the interval is the value.
    assert (found.low, found.value, found.high) == pytest.approx((1, 1, 1))


def test_failing_cheaply_is_no_saving() -> None:
    cheap, dear = cell([INF] * 4, price=1.0), cell([50] * 4, price=8.0)
    found = [log_flops([c], medians([c]), np.array([8.0]))[0, 0] for c in (cheap, dear)]
    assert np.exp(found) == pytest.approx([100 * 8, 50 * 8])
    solved = cell([50] * 4, price=1.0)
    assert np.exp(log_flops([solved], medians([solved]), np.array([8.0]))[0, 0]) == pytest.approx(
        50
    )


def test_a_range_of_ranks_as_text() -> None:
    assert RankRange(2, 4).text() == "2-4" and RankRange(2, 4).text(to=" to ") == "2 to 4"
    assert RankRange(3, 3).text() == RankRange(3, 3).text(to=" to ") == "3"


def test_equal_submissions_are_ties_and_far_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    base = np.exp(0.2 * rng.normal(size=16))
    boards = [[cell(list(10 * base))], [cell(list(10 * base))], [cell(list(40 * base))]]
    scores = np.stack([log_samples(c, medians(c)).mean(axis=0) for c in boards])
    assert rank_ranges(scores) == [RankRange(1, 2), RankRange(1, 2), RankRange(3, 3)]


def test_boards_of_one_and_boards_where_nothing_was_solved() -> None:
    nothing = [cell([INF] * 8)]
    scores = np.stack([log_samples(nothing, medians(nothing)).mean(axis=0)] * 3)
    assert rank_ranges(scores) == [RankRange(1, 3)] * 3
    assert rank_ranges(scores[:1]) == [RankRange(1, 1)]
    assert rank_ranges(scores[:, :1]) == [RankRange(1, 3)] * 3, "no resamples, no order"


def test_a_submission_that_never_varies_is_still_told_apart() -> None:
    """All solved at one time against none solved: the bootstrap sees no variance at all."""
    boards = [[cell([10] * 8)], [cell([INF] * 8)]]
    scores = np.stack([log_samples(c, medians(c)).mean(axis=0) for c in boards])
    assert rank_ranges(scores) == [RankRange(1, 1), RankRange(2, 2)]


def test_the_performance_profile_by_hand() -> None:
    found = performance_profile(np.array([[10.0, 40.0, INF], [20.0, 20.0, INF]]))
    assert found.tolist() == [[1, 2, INF], [2, 1, INF]]


def test_the_pareto_front_by_hand() -> None:
    samples, flops = np.array([1.0, 2.0, 3.0, 2.0, 1.0]), np.array([3.0, 2.0, 1.0, 3.0, 3.0])
    # The fourth needs more FLOPs than the second; the first and the last are equal.
    assert pareto_front(samples, flops).tolist() == [True, True, True, False, True]


def simulate(rng: np.random.Generator, factors: list[float], replicas: int, cells: int):
    """Scores of submissions that share seeds: log-normal times, 0.3 of the variance in common."""
    shared = rng.normal(size=(cells, replicas)) * 0.3**0.5
    scores = []
    for factor in factors:
        own = rng.normal(size=(cells, replicas)) * 0.7**0.5
        drawn = factor * np.exp(0.4 * (shared + own))
        board = [cell(list(np.where(row < 3, row, INF)), budget=3.0) for row in drawn]
        scores.append(log_samples(board, medians(board)))
    return np.stack(scores)


def test_false_claims_are_rare_on_boards_of_equals() -> None:
    """With 95% confidence no rank range of equal submissions excludes a rank."""
    rng = np.random.default_rng(3)
    wrong = 0
    for _ in range(60):
        scores = simulate(rng, [1.0] * 6, 16, 3).mean(axis=1)
        wrong += rank_ranges(scores) != [RankRange(1, 6)] * 6
    # Binomial(60, 0.05) is above 8 once in 300 times.
    assert wrong <= 8, wrong


def test_true_differences_are_found() -> None:
    rng = np.random.default_rng(4)
    scores = simulate(rng, [0.5, 1.0, 1.0, 2.0], 32, 4).mean(axis=1)
    assert rank_ranges(scores) == [
        RankRange(1, 1),
        RankRange(2, 3),
        RankRange(2, 3),
        RankRange(4, 4),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("cells", [1, 5])
@pytest.mark.parametrize("replicas", [16, 32])
def test_coverage_of_the_geometric_mean(replicas: int, cells: int) -> None:
    """Intervals hold the true ratio in about 95% of 1,000 simulated suites."""
    rng = np.random.default_rng(replicas)
    held = 0
    for _ in range(1000):
        mine, reference = simulate(rng, [0.7, 1.0], replicas, cells)
        found = geometric_mean(mine - reference)
        held += found.low <= 0.7 <= found.high
    print(f"geometric mean, {replicas} replicas, {cells} cells: {held / 10:.1f}%")
    assert 925 <= held <= 985
