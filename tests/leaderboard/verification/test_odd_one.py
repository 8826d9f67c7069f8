"""The exact test of one training against others: by enumeration, by scipy, by its level."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from scipy.stats import rankdata, wilcoxon

from synthbench.leaderboard.verification.odd_one import odd_one_p_value


def test_of_two_trainings_it_is_wilcoxons_test() -> None:
    pairs = np.random.default_rng(0).normal(size=(9, 2))
    spreads = np.abs(pairs[:, 0] - pairs[:, 1])
    expected = wilcoxon(pairs[:, 0], pairs[:, 1], method="exact").pvalue
    assert odd_one_p_value(pairs, spreads) == pytest.approx(expected, rel=1e-12)


def test_ties_and_zeros_by_enumeration() -> None:
    """Of 4 replicas in 3 trainings, over all 3^4 ways in which one could be the claimed."""
    values = np.array([[1, 1, 2], [3, 3, 3], [2, 5, np.inf], [1, 4, 4]], float)
    spreads = np.array([1, 0, np.inf, 3], float)
    scores = rankdata(spreads)[:, None] * (rankdata(values, axis=1) - 2)
    sums = np.array([scores[range(4), way].sum() for way in product(range(3), repeat=4)])
    tail = min((sums <= sums[0] + 1e-9).mean(), (sums >= sums[0] - 1e-9).mean())
    assert odd_one_p_value(values, spreads) == pytest.approx(min(1, 2 * tail), rel=1e-12)


def test_always_the_first_by_hand() -> None:
    values = np.tile([1.0, 2.0, 2.0, 2.0], (8, 1))
    assert odd_one_p_value(values, np.full(8, 1.0)) == pytest.approx(2 * 4.0**-8)
    assert odd_one_p_value(values[:, ::-1], np.full(8, 1.0)) > 0.2
    assert odd_one_p_value(np.zeros((0, 3)), np.zeros(0)) == 1
    assert odd_one_p_value(np.ones((5, 3)), np.zeros(5)) == 1


def test_its_level_with_ties_and_many_replicas() -> None:
    draws = np.random.default_rng(1)
    for count in (6, 20):
        found = []
        for _ in range(200):
            values = np.round(draws.gumbel(size=(count, 4)) * 2)
            found.append(odd_one_p_value(values, np.ptp(values, axis=1)))
        assert 0.005 < np.mean(np.array(found) <= 0.05) < 0.09
