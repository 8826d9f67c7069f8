"""Conditions on rows of which some are neither true nor false: a time beyond the budget."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from synthbench.claims.bounds import Bounds

Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Truth:
    """Where a condition surely holds, and where it may: (N,) each."""

    sure: Bools
    possible: Bools

    def __and__(self, other: Truth) -> Truth:
        return Truth(self.sure & other.sure, self.possible & other.possible)

    def __or__(self, other: Truth) -> Truth:
        return Truth(self.sure | other.sure, self.possible | other.possible)

    def __invert__(self) -> Truth:
        return Truth(~self.possible, ~self.sure)

    @property
    def defined(self) -> Bools:
        """(N,) everywhere: what is not defined meets no condition."""
        return np.ones(len(self.sure), bool)

    def __getitem__(self, rows: NDArray[np.intp]) -> Truth:
        """Some of the rows."""
        return Truth(self.sure[rows], self.possible[rows])


@dataclass(frozen=True)
class Texts:
    """A column that is not all numbers: (N,) objects, None where a row has nothing."""

    values: NDArray[np.object_]

    def __getitem__(self, rows: NDArray[np.intp]) -> Texts:
        """Some of the rows."""
        return Texts(self.values[rows])

    @property
    def numbers(self) -> Bounds | None:
        """Those that are numbers, not defined elsewhere; None where there are texts alone."""
        is_number = [isinstance(v, int | float | np.number) for v in self.values]
        if not any(is_number) and any(value is not None for value in self.values):
            return None
        pairs = zip(self.values, is_number, strict=True)
        return Bounds.exact(np.array([float(v) if known else np.nan for v, known in pairs]))


Value: TypeAlias = Bounds | Truth | Texts


def equal(one: Value, other: Value) -> Truth:
    """Where two are the same; what is not there equals `none` alone."""
    if isinstance(one, Bounds) and isinstance(other, Bounds):
        one, other = _never_as_infinity(one, other), _never_as_infinity(other, one)
        possible = (one.least <= other.most) & (other.least <= one.most)
        exact = (one.least == one.most) & (other.least == other.most)
        return Truth(possible & exact, possible)
    if isinstance(one, Truth) and isinstance(other, Truth):
        return (one & other) | (~one & ~other)
    pairs = zip(_objects(one), _objects(other), strict=True)
    same = np.array([bool(a == b) for a, b in pairs], bool)
    return Truth(same, same)


def ordered(sign: ast.cmpop, one: Bounds, other: Bounds) -> Truth:
    """Where one is below or above the other; nothing is below or above what is not defined."""
    if isinstance(sign, ast.Gt | ast.GtE):
        one, other = other, one
    one, other = _never_as_infinity(one, other), _never_as_infinity(other, one)
    if isinstance(sign, ast.Lt | ast.Gt):
        return Truth(one.most < other.least, one.least < other.most)
    return Truth(one.most <= other.least, one.least <= other.most)


def is_text(value: Value) -> bool:
    """Whether there is a text in every row: equal to a number in none, by mistake."""
    return isinstance(value, Texts) and all(isinstance(each, str) for each in value.values)


def _never_as_infinity(one: Bounds, other: Bounds) -> Bounds:
    """Against infinity itself, what may lie beyond the budget is infinite: `time < inf`."""
    never = (other.least == np.inf) & (one.most == np.inf)
    return Bounds(np.where(never, np.inf, one.least), one.most) if never.any() else one


def _objects(value: Value) -> Sequence[Any]:
    if isinstance(value, Texts):
        return list(value.values)
    if isinstance(value, Truth):
        return [bool(each) for each in value.sure]
    return [None if np.isnan(each) else float(each) for each in value.least]
