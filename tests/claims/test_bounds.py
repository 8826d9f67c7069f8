"""Interval arithmetic: whatever the numbers are, the result holds what they give."""

from __future__ import annotations

import ast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthbench.claims.bounds import Bounds
from synthbench.claims.truth import Texts, Truth, equal, ordered

NUMBERS = st.floats(-100, 100).map(lambda x: round(x, 3))
INTERVALS = st.tuples(NUMBERS, NUMBERS).map(sorted)
SHARE = st.floats(0, 1)
OPERATIONS = {
    "add": lambda a, b: a + b, "subtract": lambda a, b: a - b, "multiply": lambda a, b: a * b,
    "divide": lambda a, b: a / b,
}  # fmt: skip


def bounds(least: float, most: float) -> Bounds:
    return Bounds(np.array([least]), np.array([most]))


def ends(of: Bounds) -> tuple[float, float]:
    return float(of.least[0]), float(of.most[0])


@given(st.sampled_from(sorted(OPERATIONS)), INTERVALS, INTERVALS, SHARE, SHARE)
def test_arithmetic_holds_every_number(
    name: str, one: list[float], other: list[float], u: float, v: float
) -> None:
    a, b = (end[0] + w * (end[1] - end[0]) for end, w in ((one, u), (other, v)))
    least, most = ends(OPERATIONS[name](bounds(*one), bounds(*other)))
    if name == "divide" and b == 0:
        return
    result = OPERATIONS[name](a, b)
    slack = 1e-9 * max(1, abs(result))
    assert least - slack <= result <= most + slack


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (bounds(10, np.inf) / bounds(2, 2), (5, np.inf)),
        (bounds(6, 6) / bounds(3, np.inf), (0, 2)),
        (bounds(10, np.inf) / bounds(3, np.inf), (0, np.inf)),
        (bounds(10, np.inf) - bounds(3, np.inf), (-np.inf, np.inf)),
        (bounds(0, 0) * bounds(3, np.inf), (0, 0)),
        (bounds(1, 2) / bounds(-1, 1), (-np.inf, np.inf)),
        (bounds(1, 2) / bounds(0, 4), (0.25, np.inf)),
        (bounds(1, np.e).log(), (0, 1)),
        (bounds(1, 5).minimum(bounds(2, 3)), (1, 3)),
        (bounds(1, 5).maximum(bounds(2, 3)), (2, 5)),
        (-bounds(1, 5), (-5, -1)),
        (bounds(1, 1) / bounds(0, 0), (np.nan, np.nan)),
    ],
)
def test_what_lies_beyond_the_budget(found: Bounds, expected: tuple[float, float]) -> None:
    np.testing.assert_equal(ends(found), expected)


def test_conditions_on_what_is_not_known() -> None:
    times = Bounds(np.array([5.0, 10.0, np.nan]), np.array([5.0, np.inf, np.nan]))

    def against(sign: ast.cmpop, number: float) -> list[str]:
        found = ordered(sign, times, Bounds.exact(np.full(3, number)))
        words = np.where(found.sure, "yes", np.where(found.possible, "maybe", "no"))
        return [str(word) for word in words]

    assert against(ast.Lt(), 8) == ["yes", "no", "no"]
    assert against(ast.Lt(), 20) == ["yes", "maybe", "no"]
    assert against(ast.Gt(), 8) == ["no", "yes", "no"]
    assert against(ast.GtE(), 5) == ["yes", "yes", "no"]
    # Whether it is there within the budget is known.
    assert against(ast.Lt(), np.inf) == ["yes", "no", "no"]
    assert against(ast.GtE(), np.inf) == ["no", "yes", "no"]


def test_equality_and_logic() -> None:
    texts = Texts(np.array(["a", None, "b"], object))
    same = equal(texts, Texts(np.array(["a", "a", None], object)))
    assert same.sure.tolist() == [True, False, False]
    numbers = Bounds.exact(np.array([1.0, np.nan, 3.0]))
    assert equal(numbers, Texts(np.full(3, None))).sure.tolist() == [False, True, False]
    unknown = Truth(np.array([False]), np.array([True]))
    no = Truth(np.array([False]), np.array([False]))
    assert [(~unknown).sure[0], (~unknown).possible[0]] == [False, True]
    assert not (unknown & no).possible[0] and (unknown | ~no).sure[0]
    assert equal(unknown, ~no).possible[0]
