"""Axes and marks of the site's charts, against simple oracles."""

from __future__ import annotations

import re
from math import log10

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthbench.leaderboard.site.axis import Axis, linear_ticks, log_ticks, padded
from synthbench.leaderboard.site.svg import (
    POINTS,
    apart,
    chart,
    corners,
    line,
    link,
    make_frame,
    point,
    stairs,
    thinned,
)

reals = st.floats(-1e6, 1e6)
positive = st.floats(1e-6, 1e12)
FRAME = make_frame((1.0, 100.0), (0.0, 1.0), ("x", "y"), (str, str), (True, False))


@pytest.mark.parametrize(
    ("low", "high", "most", "expected"),
    [
        (0.0, 1.0, 6, [0, 0.2, 0.4, 0.6, 0.8, 1.0]),
        (0.0, 1.0, 5, [0, 0.5, 1.0]),
        (0.48, 1.02, 5, [0.6, 0.8, 1.0]),
        (-1.0, 1.0, 6, [-1, -0.5, 0, 0.5, 1]),
        (0.0, 7e5, 6, [0, 2e5, 4e5, 6e5]),
    ],
)
def test_linear_ticks_are_round(low: float, high: float, most: int, expected: list[float]) -> None:
    assert linear_ticks(low, high, most) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (32.0, 320_000.0, [100, 1e3, 1e4, 1e5]),
        (0.5, 12.0, [0.5, 1, 2, 5, 10]),
        (1.0, 1e12, [1, 1e3, 1e6, 1e9, 1e12]),
        (20.0, 800.0, [20, 50, 100, 200, 500]),
        (1.0, 1.5, [1.0, 1.1, 1.2, 1.3, 1.4, 1.5]),
    ],
)
def test_logarithmic_ticks_are_round(low: float, high: float, expected: list[float]) -> None:
    assert log_ticks(low, high, 6) == pytest.approx(expected)


@given(reals, st.floats(1e-5, 1e6), st.integers(3, 9))
def test_linear_ticks_are_evenly_spaced_and_inside(low: float, span: float, most: int) -> None:
    ticks = linear_ticks(low, low + span, most)
    assert 1 <= len(ticks) <= most
    slack = 1e-6 * max(span, abs(low) * 1e-3)
    assert low - slack <= ticks[0] and ticks[-1] <= low + span + slack
    steps = np.diff(ticks)
    if len(steps):
        assert np.allclose(steps, steps[0], rtol=1e-3)
        leading = steps[0] / 10 ** np.floor(log10(steps[0] * 1.0001))
        assert min(abs(leading - digit) for digit in (1, 2, 5)) < 1e-2


@given(positive, st.floats(1.05, 1e9), st.integers(4, 9))
def test_logarithmic_ticks_are_few_rising_and_inside(low: float, factor: float, most: int) -> None:
    ticks = log_ticks(low, low * factor, most)
    assert 1 <= len(ticks) <= most
    assert ticks == sorted(set(ticks))
    assert low * (1 - 1e-6) <= ticks[0] and ticks[-1] <= low * factor * (1 + 1e-6)


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_a_linear_axis_places_as_interpolation_does(value: float, other: float) -> None:
    low, high = min(value, other) - 1, max(value, other) + 1
    for start, end in ((50.0, 400.0), (300.0, 10.0)):
        axis = Axis(low, high, start, end)
        expected = np.interp(value, [low, high], [start, end])
        assert axis.at(value) == pytest.approx(expected, abs=1e-6)
        assert (axis.at(low - 5), axis.at(high + 5)) == pytest.approx((start, end))


@given(positive)
def test_a_logarithmic_axis_places_as_interpolation_of_logarithms(value: float) -> None:
    axis = Axis(value / 7, value * 3, 0.0, 100.0, log=True)
    expected = np.interp(np.log(value), np.log([value / 7, value * 3]), [0.0, 100.0])
    assert axis.at(value) == pytest.approx(expected)


@given(st.lists(positive, min_size=1, max_size=9))
def test_a_padded_range_holds_all_values_and_is_never_empty(values: list[float]) -> None:
    low, high = padded(np.array(values))
    assert low < min(values) and max(values) < high
    assert high / low >= 1.5 * (1 - 1e-9)


def test_corners_of_stairs() -> None:
    xs, ys = corners(np.array([1.0, 2.0, 5.0]), np.array([9.0, 7.0, 3.0]))
    assert list(zip(xs, ys, strict=True)) == [(1, 9), (2, 9), (2, 7), (5, 7), (5, 3)]


@given(st.integers(0, 500))
def test_a_thinned_line_keeps_its_ends(count: int) -> None:
    usable = np.ones(count, bool)
    kept = thinned(usable)
    assert len(kept) == min(count, POINTS) == len(set(kept.tolist()))
    if count:
        assert (kept[0], kept[-1]) == (0, count - 1)


@given(st.lists(st.floats(0, 300), max_size=8))
def test_labels_are_moved_apart_in_their_order(heights: list[float]) -> None:
    moved = apart(heights)
    assert len(moved) == len(heights)
    order = np.argsort(heights, kind="stable")
    assert all(np.diff(np.array(moved)[order]) >= 12 - 1e-9)
    assert all(new >= old for new, old in zip(moved, heights, strict=True))


def test_a_line_leaves_out_what_is_not_finite() -> None:
    xs = np.array([1.0, 10.0, 100.0])
    drawn = line(FRAME, xs, np.array([0.0, np.nan, 1.0]), "c0")
    assert len(re.findall(r"[\d.]+ [\d.]+", drawn)) == 2
    assert "nan" not in drawn
    assert line(FRAME, xs, np.full(3, np.nan), "c0") == ""


def test_a_line_lies_where_its_axes_say() -> None:
    drawn = stairs(FRAME, np.array([1.0, 100.0]), np.array([0.0, 1.0]), "c0")
    numbers = [float(text) for text in re.search(r'd="M(.*?)"', drawn)[1].split()]
    x, y = FRAME.x, FRAME.y
    assert numbers == pytest.approx([x.start, y.start, x.end, y.start, x.end, y.end])


def test_text_in_a_chart_is_escaped() -> None:
    bad = "\"'><script>alert(1)</script>"
    frame = make_frame(
        (0.0, 1.0), (0.0, 1.0), (bad, bad), (lambda _: bad, lambda _: bad), (False, False),
        [(0.5, bad)],
    )  # fmt: skip
    mark = link(point(1, 2, "c0"), bad, bad, focusable=False)
    drawn = chart(frame, bad, [mark, line(frame, np.ones(2), np.ones(2), "c0", bad)])
    assert "<script" not in drawn
    assert set(re.findall(r"<(\w+)", drawn)) == {"svg", "path", "text", "a", "title", "circle"}
    assert "\"'>" not in drawn
