"""Numbers as people read them."""

from __future__ import annotations

import pytest

from synthbench.metrics.estimate import Estimate
from synthbench.metrics.formatting import (
    format_count,
    format_estimate,
    format_p_value,
    format_ratio,
    format_time_to_target,
)


def estimate(value: float | None, low: float | None, high: float | None) -> Estimate:
    return Estimate(value=value, low=low, high=high)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"), (12, "12"), (7.25, "7.25"), (320_000, "320k"), (40_120, "40.1k"), (999.6, "1k"),
        (999_600, "1M"), (1_280_000, "1.28M"), (2.5e12, "2.50T"), (100, "100"), (0.123, "0.123"),
    ],
)  # fmt: skip
def test_counts(number: float, text: str) -> None:
    assert format_count(number) == text


@pytest.mark.parametrize(
    ("numbers", "value", "interval"),
    [
        ((1_281, 1_212, 1_357), "1.28k", "[1.21k, 1.36k]"),
        ((1_600, 1_010, 2_320), "1.6k", "[1.0k, 2.3k]"),
        ((12_345, 4_321, 65_432), "12k", "[4k, 65k]"),
        ((980, 950, 1_360), "980", "[950, 1.36k]"),
        ((64_000, 64_000, 64_000), "64.0k", "[64.0k, 64.0k]"),
        ((500_000, 400_000, None), "500k", "[400k, > 640k]"),
        ((None, 400_000, None), "> 640k", "[400k, > 640k]"),
        ((None, None, None), "> 640k", ""),
        ((0, 0, 0), "0", "[0, 0]"),
    ],
)
def test_times(numbers: tuple[float | None, ...], value: str, interval: str) -> None:
    assert format_time_to_target(estimate(*numbers), 640_000) == (value, interval)


@pytest.mark.parametrize(
    ("numbers", "value", "interval"),
    [
        ((0.875, 0.65, 1.0), "0.88", "[0.65, 1.00]"),
        ((0.80412, 0.79712, 0.81023), "0.804", "[0.797, 0.810]"),
        ((-0.412, -1.2, 0.4), "-0.4", "[-1.2, 0.4]"),
        ((-0.001, -1.2, 0.0), "0.0", "[-1.2, 0.0]"),
        ((3.0, None, None), "3.00", "[..., ...]"),
        ((None, None, None), "-", ""),
    ],
)
def test_estimates(numbers: tuple[float | None, ...], value: str, interval: str) -> None:
    assert format_estimate(estimate(*numbers)) == (value, interval)


def test_ratios_with_only_a_bound() -> None:
    assert format_ratio(estimate(0.5, 0.4, 0.62))[0] == "0.50"
    assert format_ratio(estimate(None, 0, 0.125)) == ("< 0.125", "")
    assert format_ratio(estimate(None, 8, None)) == ("> 8", "")
    assert format_ratio(estimate(None, 0, None)) == ("-", "")


def test_p_values() -> None:
    assert [format_p_value(p) for p in (0.0004, 0.0012, 0.031, 0.4)] == [
        "< 0.001", "0.0012", "0.031", "0.4",
    ]  # fmt: skip
    assert [format_p_value(p, name=True) for p in (0.0004, 0.4)] == ["p < 0.001", "p = 0.4"]
