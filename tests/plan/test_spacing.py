"""Spaced numbers as a person would type them."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthbench.errors import ConfigurationError
from synthbench.plan.spacing import number_text, spaced


@pytest.mark.parametrize(
    ("low", "high", "count", "scale", "whole", "expected"),
    [
        (0.01, 1, 7, "log", False, "0.01 0.0215 0.0464 0.1 0.215 0.464 1"),
        (1e-4, 1e-1, 4, "log", False, "0.0001 0.001 0.01 0.1"),
        (1e-7, 1e-5, 3, "log", False, "1e-7 1e-6 1e-5"),
        (0, 1, 5, "linear", False, "0 0.25 0.5 0.75 1"),
        (0, 1, 4, "linear", False, "0 0.333 0.667 1"),
        (10, 50, 5, "linear", True, "10 20 30 40 50"),
        (10, 20, 4, "linear", True, "10 13 17 20"),
        (500, 16_000, 6, "log", True, "500 1000 2000 4000 8000 16000"),
        (500, 16_000, 4, "log", True, "500 1590 5040 16000"),
        (1, 8, 4, "log", True, "1 2 4 8"),
        # Three digits would put the one in the middle off its place.
        (100.5, 102.5, 3, "linear", False, "100.5 101.5 102.5"),
        # Three digits would write two of these alike.
        (1000, 1004, 5, "log", False, "1000 1001 1002 1003 1004"),
        (0.123456, 7.654321, 2, "log", False, "0.123456 7.654321"),
    ],
)
def test_a_person_would_type_these(low, high, count, scale, whole, expected) -> None:
    assert spaced(low, high, count, scale, whole) == tuple(expected.split())


def test_whole_numbers_that_meet_are_refused_with_the_count_that_fits() -> None:
    with pytest.raises(ConfigurationError, match="8 whole numbers from 1 to 8 are not all diff"):
        spaced(1, 8, 8, "log", whole=True)
    with pytest.raises(ConfigurationError, match="ask for 4, or list them"):
        spaced(0, 3, 5, "linear", whole=True)
    assert len(spaced(0, 3, 4, "linear", whole=True)) == 4


def test_more_numbers_than_anybody_means_are_refused_before_they_are_made() -> None:
    with pytest.raises(ConfigurationError, match="1,000,000,000,000 values are too many"):
        spaced(4, 6, 10**12, "linear", whole=True)


@given(
    st.floats(1e-12, 1e12),
    st.floats(1.001, 1e6),
    st.integers(2, 40),
    st.sampled_from(["log", "linear"]),
)
def test_they_rise_from_end_to_end_and_lie_near_their_places(low, factor, count, scale) -> None:
    high = low * factor
    numbers = [float(text) for text in spaced(low, high, count, scale, whole=False)]
    assert len(numbers) == count and (numbers[0], numbers[-1]) == (low, high)
    assert all(a < b for a, b in pairwise(numbers))
    for place, number in enumerate(numbers):
        share = place / (count - 1)
        if scale == "log":
            assert math.isclose(number, low * factor**share, rel_tol=0.0051)
        else:
            assert abs(number - (low + (high - low) * share)) <= 0.0201 * (high - low) / (count - 1)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_text_of_a_number_is_that_number(number: float) -> None:
    assert float(number_text(number)) == number
