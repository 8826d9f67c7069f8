"""Holm's method against the closed test it is a shortcut for."""

from __future__ import annotations

from itertools import chain, combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthbench.metrics.multiple import holm


def closed_test(p_values: list[float], index: int) -> float:
    """Largest Bonferroni p-value over all sets of hypotheses that hold `index`."""
    others = [i for i in range(len(p_values)) if i != index]
    sets = chain.from_iterable(combinations(others, size) for size in range(len(others) + 1))
    return max(
        min(1.0, (len(rest) + 1) * min(p_values[i] for i in (index, *rest))) for rest in sets
    )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_equals_the_closed_bonferroni_test(p_values: list[float]) -> None:
    expected = [closed_test(p_values, index) for index in range(len(p_values))]
    assert holm(p_values) == pytest.approx(expected)


def test_nothing_to_correct() -> None:
    assert holm([]) == []
