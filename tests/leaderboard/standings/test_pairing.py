"""Two submissions side by side: consistent with the board, and with oracles of their own."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import norm

from synthbench.leaderboard.standings.board import Board
from synthbench.leaderboard.standings.pair_words import detectable_text, mean_words, notes
from synthbench.leaderboard.standings.pairing import Pairs, mean_ratio, told_apart
from synthbench.leaderboard.standings.ranking import (
    CellTimes,
    log_samples,
    resampled_medians,
    seed_weights,
)
from synthbench.metrics.comparison import log_rank_p_value
from synthbench.metrics.power import detectable_ratio, log_rank_statistic, slowed
from synthbench.metrics.time_to_target import TimesToTarget
from tests.leaderboard.site.boards import SUITE, honest_board


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    """The reference, a faster one, a slower one, and one that never learns."""
    return honest_board(tmp_path_factory.mktemp("boards"))


def test_against_the_reference_it_says_what_the_board_says(board: Board) -> None:
    pairs, reference = Pairs(board), board.entry("reference")
    for entry in board.entries:
        pair = pairs.pair(entry, reference)
        assert pair.samples == entry.samples
        assert pair.bound == entry.bound
        for cell, own in zip(pair.cells, entry.cells, strict=True):
            assert cell.comparison.ratio_of_medians == own.ratio


def test_turned_round_it_says_the_same(board: Board) -> None:
    pairs, (fast, slow) = Pairs(board), (board.entry("fast"), board.entry("slow"))
    one, two = pairs.pair(fast, slow), pairs.pair(slow, fast)
    assert one.samples.value < 1 < two.samples.value
    assert one.samples.value * two.samples.value == pytest.approx(1)
    assert one.samples.low * two.samples.high == pytest.approx(1)
    assert (one.p_value, one.detectable) == pytest.approx((two.p_value, two.detectable))
    assert {(">", "<"), ("", "")} >= {(two.bound, one.bound)}
    for a, b in zip(one.cells, two.cells, strict=True):
        assert (a.p_value, a.detectable) == (pytest.approx(b.p_value), b.detectable)


def test_p_values_are_corrected_over_the_cells(board: Board) -> None:
    pair = Pairs(board).pair(board.entry("fast"), board.entry("reference"))
    plain = [
        log_rank_p_value(cell.first.times.reached, cell.second.times.reached) for cell in pair.cells
    ]
    assert [cell.comparison.log_rank for cell in pair.cells] == plain
    low, high = sorted(plain)
    assert sorted(cell.p_value for cell in pair.cells) == pytest.approx(
        [min(2 * low, 1.0), max(2 * low, high)]
    )


def test_what_is_detectable_is_that_of_the_faster_at_the_corrected_level(board: Board) -> None:
    pair = Pairs(board).pair(board.entry("slow"), board.entry("fast"))
    for cell in pair.cells:
        fast = cell.second.times
        assert cell.detectable == detectable_ratio(fast.reached, fast.budget, 0.05 / 2)
        beside = slowed(fast.reached, cell.detectable, fast.budget)
        wanted = norm.ppf(1 - 0.05 / 4) + norm.ppf(0.8)
        assert log_rank_statistic(fast.reached, beside) >= wanted


def test_two_that_never_learn_are_not_told_apart(board: Board) -> None:
    stuck = board.entry("stuck")
    other = replace(stuck, submission=stuck.submission.model_copy(update={"name": "also"}))
    pair = Pairs(board).pair(stuck, other)
    assert (pair.samples.value, pair.bound, pair.p_value) == (1.0, "~", 1.0)
    for cell in pair.cells:
        assert (cell.p_value, cell.detectable) == (1.0, None)
        assert cell.comparison.superiority.value == 0.5
        assert cell.comparison.ratio_of_medians.value is None


def test_few_seeds_tell_nothing_apart(board: Board) -> None:
    few = replace(board, suite=SUITE.model_copy(update={"seeds": 5}))
    entries = [
        replace(
            entry,
            cells=tuple(
                replace(
                    cell,
                    times=replace(
                        cell.times,
                        reached=replace(
                            cell.times.reached,
                            times=cell.times.reached.times[:5],
                            solved=cell.times.reached.solved[:5],
                            since=None,
                        ),
                    ),
                )
                for cell in entry.cells
            ),
        )
        for entry in board.entries[:2]
    ]
    pair = Pairs(few).pair(*entries)
    assert pair.p_value is None and pair.detectable is None
    assert (pair.samples.low, pair.samples.high) == (None, None)
    assert "too few seeds" in mean_words(pair)
    assert told_apart([pair]) == [False]


def test_pairs_looked_at_together_are_corrected_together(board: Board) -> None:
    pair = Pairs(board).pair(board.entries[0], board.entries[1])
    weak, strong = replace(pair, p_value=0.03), replace(pair, p_value=1e-6)
    assert told_apart([weak]) == [True]
    assert told_apart([weak, strong, weak]) == [False, True, False]


def test_the_mean_ratio_that_is_detectable_is_found_four_times_in_five() -> None:
    draws, weights = np.random.default_rng(2), seed_weights(16)

    def trial(factor: float) -> tuple[float, float]:
        """Three cells of 16 seeds, of whose variance 30% is shared, the second slower."""
        shared, own = draws.normal(size=(3, 1, 16)), draws.normal(size=(3, 2, 16))
        times = 100 * np.exp(0.4 * (0.3**0.5 * shared + 0.7**0.5 * own))
        models = [
            [CellTimes(TimesToTarget(t * f, np.ones(16, bool)), 1e9, 1.0) for t in times[:, m]]
            for m, f in enumerate((1.0, factor))
        ]
        one, two = (log_samples(cells, resampled_medians(cells, weights)) for cells in models)
        _, p_value, detectable = mean_ratio(one - two, 16)
        return p_value, detectable

    typical = float(np.median([trial(1.0)[1] for _ in range(30)]))
    found = np.mean([trial(typical)[0] < 0.05 for _ in range(150)])
    print(f"\na mean ratio of {typical:.2f}: found {found:.0%} of the time")
    assert 0.68 <= found <= 0.92


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (None, "-"), (1.0, "1.00x"), (1.201, "1.21x"), (1.21, "1.21x"),
        (12.34, "12.4x"), (112.0, "112x"),
    ],
)  # fmt: skip
def test_what_is_said_to_be_found_is_rounded_up(ratio: float | None, text: str) -> None:
    assert detectable_text(ratio) == text


def test_words_name_the_bound_the_interval_and_the_correction(board: Board) -> None:
    pair = Pairs(board).pair(board.entry("stuck"), board.entry("fast"))
    words = mean_words(pair)
    assert (
        words.startswith("over all cells the first needs > ")
        and "[" in words
        and "p < 0.001" in words
    )
    assert "Holm's method over 2 cells" in " ".join(notes(pair)) and "0.05/2" in notes(pair)[-1]
