"""Axes of the site's charts: where a value lies in the picture, and where the ticks are."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, floor, log10

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """One axis: values from low to high, low < high, in picture units from start to end.

    Values outside are drawn at its ends. log: on a logarithmic scale; low is then above 0.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def place(self, values: Array) -> Array:
        """Positions of values, of the same shape."""
        inside = np.clip(values, self.low, self.high)
        low, high = self.low, self.high
        if self.log:
            inside, low, high = np.log10(inside), log10(low), log10(high)
        return np.asarray(self.start + (inside - low) / (high - low) * (self.end - self.start))

    def at(self, value: float) -> float:
        """Position of one value."""
        return float(self.place(np.array(value, float)))

    def ticks(self, most: int = 6) -> list[float]:
        """Round values on the axis, at most `most`."""
        if self.log:
            return log_ticks(self.low, self.high, most)
        return linear_ticks(self.low, self.high, most)


def linear_ticks(low: float, high: float, most: int) -> list[float]:
    """Multiples of 1, 2 or 5 times a power of ten in [low, high]: the finest that fit."""
    exponent = floor(log10((high - low) / most)) - 1
    while True:
        for factor in (1, 2, 5):
            step = factor * 10.0**exponent
            first, last = ceil(low / step - 1e-9), floor(high / step + 1e-9)
            if last - first < most:
                return [round(index * step, -exponent) for index in range(first, last + 1)]
        exponent += 1


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """Values to mark on a logarithmic axis over [low, high].

    1, 2, 5 of each decade where they fit, otherwise powers of ten, of which every second,
    third... is kept; on a range so short that it holds fewer than three of them, linear ticks.
    """
    decades = range(floor(log10(low)) - 1, ceil(log10(high)) + 2)
    for factors in ((1, 2, 5), (1, 3), (1,)):
        found = [f * 10.0**d for d in decades for f in factors]
        found = [v for v in found if low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]
        if len(found) < 3:
            return linear_ticks(low, high, most)
        if len(found) <= most:
            return found
    return found[:: ceil(len(found) / most)]


def padded(values: Array, fewest: float = 1.5, margin: float = 1.12) -> tuple[float, float]:
    """Ends of a logarithmic axis around positive values: a ratio of `fewest` apart at least."""
    low, high = float(values.min()), float(values.max())
    grow = max(margin, (fewest / (high / low)) ** 0.5)
    return low / grow, high * grow
