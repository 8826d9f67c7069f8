"""Means and medians against Student's t by hand and against enumerated binomials."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest

from synthbench.metrics.mean import mean_estimate, median_estimate


def test_mean_of_a_known_sample() -> None:
    # mean 3, standard deviation sqrt(2.5), t(4) at 97.5% = 2.776445.
    found = mean_estimate(np.array([1.0, 2, 3, 4, 5]))
    assert found.value == 3
    assert found.high - 3 == pytest.approx(2.776445 * (2.5 / 5) ** 0.5, abs=1e-5)
    assert found.low == pytest.approx(6 - found.high)
    assert mean_estimate(np.array([2.0])).low is None


@pytest.mark.parametrize("count", [6, 9, 16, 33])
def test_the_median_lies_between_the_order_statistics_of_the_sign_test(count: int) -> None:
    found = median_estimate(np.arange(1.0, count + 1))
    # The largest d for which P(fewer than d of `count` fair coins) is at most 2.5%.
    tails = np.cumsum([comb(count, k) / 2**count for k in range(count + 1)])
    rank = int((tails <= 0.025).sum())
    assert (found.low, found.high) == (rank, count + 1 - rank)
    assert found.value == (count + 1) / 2


def test_few_values_bound_nothing() -> None:
    assert median_estimate(np.array([1.0, 2, 3])).low is None
    assert median_estimate(np.array([])).value is None
