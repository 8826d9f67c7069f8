"""Variance shares against a published table and against simulations with known shares."""

from __future__ import annotations

import numpy as np
import pytest

from synthbench.metrics.variance_split import agreement_interval, split_variance

SHROUT_FLEISS = np.array(
    [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]], float
)
"""Six targets rated by four judges: Shrout & Fleiss 1979, table 2."""


def test_a_published_table() -> None:
    """Shrout & Fleiss 1979: ICC(2,1) = .29; McGraw & Wong's interval as printed by R's psych."""
    found = split_variance(np.exp(SHROUT_FLEISS)).initialization
    assert found.value == pytest.approx(0.29, abs=0.005)
    assert (found.low, found.high) == pytest.approx((0.019, 0.761), abs=0.001)


def test_rows_and_columns_change_places() -> None:
    one, other = split_variance(np.exp(SHROUT_FLEISS)), split_variance(np.exp(SHROUT_FLEISS.T))
    assert one.initialization == other.data and one.data == other.initialization
    total = one.initialization.value + one.data.value + one.interaction
    assert total == pytest.approx(1)


def test_pure_factors() -> None:
    rows = np.exp(np.arange(5.0))[:, None] * np.ones((5, 8))
    assert split_variance(rows).initialization.value == pytest.approx(1)
    assert split_variance(rows.T).data.value == pytest.approx(1)
    constant = split_variance(np.full((3, 4), 7.0))
    assert constant.initialization.value == constant.data.value == 0
    with pytest.raises(ValueError, match="two seeds of each kind"):
        split_variance(np.ones((1, 9)))


def test_simulated_shares_are_recovered_and_covered() -> None:
    generator, values, covered = np.random.default_rng(0), [], 0
    for _ in range(400):
        logs = (
            0.75**0.5 * generator.standard_normal((12, 1))
            + 0.05**0.5 * generator.standard_normal((1, 24))
            + 0.20**0.5 * generator.standard_normal((12, 24))
        )
        found = split_variance(np.exp(logs)).initialization
        values.append(found.value)
        covered += found.low <= 0.75 <= found.high
    assert np.median(values) == pytest.approx(0.75, abs=0.03)
    assert 0.92 <= covered / 400 <= 0.98


def test_the_interval_stays_within_0_and_1() -> None:
    generator = np.random.default_rng(1)
    for _ in range(50):
        low, high = agreement_interval(generator.standard_normal((4, 3)))
        assert 0 <= low <= high <= 1
