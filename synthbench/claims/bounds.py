"""Numbers of which only an interval is known, as the times of replicas that never got there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Bounds:
    """Interval arithmetic: least and most, (N,) each and equal where a number is known.

    What lies beyond the budget is between the budget and infinity. NaN is what is not defined.
    Source: Moore 1966.
    """

    least: Array
    most: Array

    @classmethod
    def exact(cls, values: Array) -> Bounds:
        """Known numbers."""
        return cls(values, values)

    @property
    def is_exact(self) -> bool:
        """Whether all numbers are known."""
        return self.least is self.most or np.array_equal(self.least, self.most, equal_nan=True)

    @property
    def defined(self) -> NDArray[np.bool_]:
        """(N,) where there is a number at all."""
        return ~(np.isnan(self.least) | np.isnan(self.most))

    @property
    def floor(self) -> float:
        """What numbers like these cannot be below: 0 where none is negative."""
        return 0.0 if (self.least[self.defined] >= 0).all() else -np.inf

    def __getitem__(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> Bounds:
        """Some of the numbers."""
        least = self.least[rows]
        return Bounds(least, least if self.least is self.most else self.most[rows])

    def __neg__(self) -> Bounds:
        return Bounds(-self.most, -self.least)

    def __add__(self, other: Bounds) -> Bounds:
        return self._combined(np.add, other)

    def __sub__(self, other: Bounds) -> Bounds:
        return self + -other

    def __mul__(self, other: Bounds) -> Bounds:
        if self.is_exact and other.is_exact:
            return self._combined(np.multiply, other)
        with np.errstate(invalid="ignore"):
            corners = [a * b for a in (self.least, self.most) for b in (other.least, other.most)]
        # 0 times an end that is infinite: the product is 0 all along.
        known = self.defined & other.defined
        corners = [np.where(known & np.isnan(corner), 0.0, corner) for corner in corners]
        return Bounds(reduce(np.minimum, corners), reduce(np.maximum, corners))

    def __truediv__(self, other: Bounds) -> Bounds:
        if self.is_exact and other.is_exact:
            with np.errstate(divide="ignore", invalid="ignore"):
                found = np.where(other.least == 0, np.nan, self.least / other.least)
            return Bounds.exact(found)
        return self * other._reciprocal()

    def log(self) -> Bounds:
        """Natural logarithm; not defined of negative numbers."""
        return self.mapped(np.log)

    def mapped(self, increasing: Callable[[Array], Array]) -> Bounds:
        """An increasing function of every number."""
        with np.errstate(divide="ignore", invalid="ignore"):
            least = increasing(self.least)
            return Bounds(least, least if self.least is self.most else increasing(self.most))

    def minimum(self, other: Bounds) -> Bounds:
        """The smaller of two, one by one."""
        return self._combined(np.minimum, other)

    def maximum(self, other: Bounds) -> Bounds:
        """The larger of two, one by one."""
        return self._combined(np.maximum, other)

    def _combined(self, operate: Callable[[Array, Array], Array], other: Bounds) -> Bounds:
        """A function that increases in both."""
        with np.errstate(invalid="ignore"):
            least = operate(self.least, other.least)
            exact = self.least is self.most and other.least is other.most
            return Bounds(least, least if exact else operate(self.most, other.most))

    def _reciprocal(self) -> Bounds:
        """1 over it; of an interval around 0 anything, of 0 itself not defined."""
        with np.errstate(divide="ignore", invalid="ignore"):
            least, most = 1 / self.most, 1 / self.least
        around = (self.least < 0) & (self.most > 0)
        least = np.where(around | ((self.most == 0) & (self.least < 0)), -np.inf, least)
        most = np.where(around | ((self.least == 0) & (self.most > 0)), np.inf, most)
        none = (self.least == 0) & (self.most == 0)
        return Bounds(np.where(none, np.nan, least), np.where(none, np.nan, most))


def stacked(parts: list[Bounds]) -> Bounds:
    """Numbers of several parts as one."""
    return Bounds(
        np.concatenate([part.least for part in parts]),
        np.concatenate([part.most for part in parts]),
    )
