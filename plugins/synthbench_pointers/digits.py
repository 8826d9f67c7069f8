"""Counting uniform digits."""

from __future__ import annotations

from math import factorial

BASE = 10
"""Digits there are."""


def most_frequent_share(places: int, base: int = BASE) -> float:
    """Share of uniform digits that are the most frequent one among them, in expectation.

    The accuracy of whoever knows the digits and not which of them is asked for: E[max count] /
    places. Words of length n in which no digit occurs more than m times number n! times the
    coefficient of z^n in (1 + z + ... + z^m / m!)^base.
    """
    expected = 0.0
    for most in range(places):
        series = [1.0] + [0.0] * places
        for _ in range(base):
            series = [
                sum(series[n - i] / factorial(i) for i in range(min(most, n) + 1))
                for n in range(places + 1)
            ]
        expected += 1 - series[places] * factorial(places) / base**places
    return expected / places
