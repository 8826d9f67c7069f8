"""Sums of monomials in signs: how they are written, their leap, and what a part of them tells."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import product
from math import prod

Monomial = tuple[int, ...]
"""Variables of one term, from 1, ascending."""

TERM = re.compile(r"(x[1-9][0-9]*)+")


def read(function: str) -> tuple[Monomial, ...]:
    """The terms of "x1+x1x2+x1x2x3", lowest degree first; ValueError unless it is such a sum.

    Every term occurs once, its variables differ, and the variables are x1 ... xP without a gap.
    """
    terms = function.replace(" ", "").replace("*", "").split("+")
    for term in terms:
        if not TERM.fullmatch(term):
            raise ValueError(f'function is a sum such as "x1+x1x2+x1x2x3"; "{term}" is no term')
    found = [tuple(sorted(int(v) for v in term[1:].split("x"))) for term in terms]
    for term in found:
        if len(set(term)) < len(term):
            raise ValueError(f"{write(term)} has a variable twice; x^2 = 1 for signs, so leave it")
    if len(set(found)) < len(found):
        raise ValueError(f"a term of function occurs twice in {function}")
    variables = sorted({v for term in found for v in term})
    if variables != list(range(1, len(variables) + 1)):
        raise ValueError(f"the variables of function are x1, x2, ... without a gap; got {function}")
    return tuple(sorted(found, key=lambda term: (len(term), term)))


def write(term: Monomial) -> str:
    """A term as it is written: x1x2."""
    return "".join(f"x{v}" for v in term)


def leap(terms: tuple[Monomial, ...]) -> int:
    """The most variables that a term adds to those before it, in the best order of the terms.

    Abbe, Boix-Adsera & Misiakiewicz 2023, definition 1. Always to take a term that adds the
    fewest is best: terms that were taken make none of the others harder.
    """
    known: set[int] = set()
    worst, left = 0, list(terms)
    while left:
        term = min(left, key=lambda t: len(set(t) - known))
        worst = max(worst, len(set(term) - known))
        known |= set(term)
        left.remove(term)
    return worst


@lru_cache
def sign_means(terms: tuple[Monomial, ...], degree: int) -> tuple[float, ...]:
    """E[sign(h) | sum of the terms up to `degree` = s] at s = -m ... m, for m such terms.

    Over all values of the variables; a tie, h = 0, counts +1. 0 where s does not occur.
    """
    kept = [term for term in terms if len(term) <= degree]
    total, count = [0] * (2 * len(kept) + 1), [0] * (2 * len(kept) + 1)
    for x in product((-1, 1), repeat=max(max(term) for term in terms)):
        place = len(kept) + sum(prod(x[v - 1] for v in term) for term in kept)
        h = sum(prod(x[v - 1] for v in term) for term in terms)
        total[place] += 1 if h >= 0 else -1
        count[place] += 1
    return tuple(t / c if c else 0.0 for t, c in zip(total, count, strict=True))


@lru_cache
def sign_accuracy(terms: tuple[Monomial, ...], degree: int) -> float:
    """How often the best guess of sign(h) from the sum of terms up to `degree` is right."""
    kept = [term for term in terms if len(term) <= degree]
    means, total = sign_means(terms, degree), 0.0
    variables = max(max(term) for term in terms)
    for x in product((-1, 1), repeat=variables):
        place = len(kept) + sum(prod(x[v - 1] for v in term) for term in kept)
        total += abs(means[place])
    return (1 + total / 2**variables) / 2
