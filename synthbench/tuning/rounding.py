"""Proposed numbers as a person would type them."""

from __future__ import annotations

import math

from synthbench.plan.space import Range
from synthbench.plan.spacing import number_text

LEAST_DIGITS, MOST_DIGITS = 3, 17
"""Significant digits of a proposed number; more than the least only in a narrow range."""
STEPS = 100
"""Numbers that a range can tell apart at the least."""


def rounded_text(number: float, values: Range) -> str:
    """A number in a range, with as few digits as leave the range fine enough.

    >>> rounded_text(0.0123456, Range(1e-4, 1e-1, "log"))
    '0.0123'
    """
    if values.whole:
        return str(int(number))
    rounded = float(f"{number:.{_digits(values) - 1}e}")
    return number_text(min(max(rounded, values.low), values.high))


def _digits(values: Range) -> int:
    """Significant digits that tell so many steps of the range apart, where it is coarsest."""
    if values.scale == "log":
        finest = math.log(values.high / values.low) / STEPS
        largest = 1.0
    else:
        finest = (values.high - values.low) / STEPS
        largest = max(abs(values.low), abs(values.high))
    needed = math.floor(math.log10(largest)) - math.floor(math.log10(finest)) + 1
    return min(max(needed, LEAST_DIGITS), MOST_DIGITS)
