"""Numbers spaced evenly between two ends, written as a person would type them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

from synthbench.errors import ConfigurationError

Scale = Literal["linear", "log"]
LEAST_DIGITS = 3
"""Significant digits, more only where fewer would not do."""
MOST_DIGITS = 17
"""Those that tell any two floats apart."""
MOST_NUMBERS = 10_000
"""More of one field are a slip of the keyboard, and would fill the memory first."""
UNEVEN = 0.02
"""The share of a step by which a rounded number may be off its place on a linear scale."""


def spaced(low: float, high: float, count: int, scale: Scale, whole: bool) -> tuple[str, ...]:
    """So many numbers from one end to the other, ends included, rounded to a few digits.

    low < high, above 0 on a log scale; count: 2 or more; whole: integers alone. The ends are as
    given. Raises ConfigurationError for more than MOST_NUMBERS, and where so many whole numbers do
    not lie between them.

    >>> spaced(0.01, 1, 7, "log", whole=False)
    ('0.01', '0.0215', '0.0464', '0.1', '0.215', '0.464', '1')
    """
    if count > MOST_NUMBERS:
        raise ConfigurationError(
            f"{count:,} values are too many; ask for {MOST_NUMBERS:,} or fewer"
        )
    exact = _places(low, high, count, scale)
    step = (high - low) / (count - 1)
    for digits in range(LEAST_DIGITS, MOST_DIGITS + 1):
        inner = [_rounded(number, digits, scale, whole) for number in exact[1:-1]]
        numbers = [low, *inner, high]
        off = max(abs(a - b) for a, b in zip(numbers, exact, strict=True))
        even = whole or scale == "log" or off <= UNEVEN * step
        if even and all(a < b for a, b in pairwise(numbers)):
            return tuple(number_text(number) for number in numbers)
    raise ConfigurationError(
        f"{count} whole numbers from {number_text(low)} to {number_text(high)} are not all "
        f"different; ask for {_most(low, high, count, scale)}, or list them"
    )


def number_text(number: float) -> str:
    """The shortest text that stands for exactly this number: `16000`, `0.05`, `1e-5`."""
    if number == int(number) and abs(number) < 10**15:
        return str(int(number))
    mantissa, sign, exponent = repr(number).partition("e")
    return f"{mantissa}e{int(exponent)}" if sign else mantissa


def _places(low: float, high: float, count: int, scale: Scale) -> Sequence[float]:
    shares = [place / (count - 1) for place in range(count)]
    if scale == "log":
        return [low ** (1 - share) * high**share for share in shares]
    return [low + (high - low) * share for share in shares]


def _rounded(number: float, digits: int, scale: Scale, whole: bool) -> float:
    if whole and scale == "linear":
        return float(round(number))
    short = float(f"{number:.{digits - 1}e}")
    return float(round(short)) if whole else short


def _most(low: float, high: float, count: int, scale: Scale) -> int:
    """The largest smaller count for which all whole numbers differ; two always do."""
    for fewer in range(count - 1, 2, -1):
        inner = [float(round(number)) for number in _places(low, high, fewer, scale)]
        if all(a < b for a, b in pairwise(inner)):
            return fewer
    return 2
