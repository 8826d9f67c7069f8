"""The side on which a claim holds: `> 1`, `in [2.5, 3.5]`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from synthbench.errors import ConfigurationError

INFINITY = float("inf")
NUMBER = r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
ONE_SIDED = re.compile(rf"\s*(>=|<=|>|<)\s*{NUMBER}\s*")
WITHIN = re.compile(rf"\s*in\s*\[\s*{NUMBER}\s*,\s*{NUMBER}\s*\]\s*")


@dataclass(frozen=True)
class Side:
    """The numbers from low to high; whether an end itself belongs to them."""

    low: float
    high: float
    closed: bool

    @classmethod
    def read(cls, text: str) -> Side:
        """The side that a text names; ConfigurationError for one that names none."""
        if within := WITHIN.fullmatch(text):
            low, high = float(within[1]), float(within[2])
            if low > high:
                raise ConfigurationError(f"{text!r} is no range: write the smaller number first")
            return cls(low, high, closed=True)
        if found := ONE_SIDED.fullmatch(text):
            sign, threshold = found[1], float(found[2])
            closed, above = sign.endswith("="), sign.startswith(">")
            return cls(threshold, INFINITY, closed) if above else cls(-INFINITY, threshold, closed)
        raise ConfigurationError(
            f'cannot read the claimed side {text!r}: write "> 1", ">= 0.9", "< 0.5", "<= 2" '
            'or "in [2.5, 3.5]"'
        )

    def holds_all(self, low: float, high: float) -> bool:
        """Whether all numbers from low to high are on this side."""
        if self.closed:
            return low >= self.low and high <= self.high
        # An infinite end is no threshold.
        above = low > self.low or self.low == -INFINITY
        return above and (high < self.high or self.high == INFINITY)

    def holds_none(self, low: float, high: float) -> bool:
        """Whether no number from low to high is on this side."""
        if self.closed:
            return high < self.low or low > self.high
        return high <= self.low or low >= self.high

    def depth(self, value: float) -> float:
        """How far a number is within this side; negative outside, 0 on the threshold."""
        return min(value - self.low, self.high - value)
