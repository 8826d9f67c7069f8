"""The function of the hidden directions, as people write it: `z1 + z1*z2 + he3(z3)`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod, sqrt
from typing import NamedTuple

HIGHEST = 6
"""Largest degree of a term. The square of He_6 has a kurtosis with which no sample is large."""
VARIABLE = re.compile(r"z([1-9])|he([1-9])\(z([1-9])\)")
NUMBER = re.compile(r"\d+(\.\d*)?|\.\d+")


class Term(NamedTuple):
    """One element of the orthonormal Hermite basis, with its coefficient.

    degrees: of the normalized Hermite polynomial of each direction; (1, 2) is
    z_1 He_2(z_2) / sqrt(2).
    """

    coefficient: float
    degrees: tuple[int, ...]

    @property
    def degree(self) -> int:
        """Sum of the degrees."""
        return sum(self.degrees)


def parse_link(text: str) -> tuple[Term, ...]:
    """The terms of a sum, coefficients scaled to a variance of 1; ValueError if it is none.

    >>> [term.degrees for term in parse_link("z1+z1*he2(z2)")]
    [(1, 0), (1, 2)]
    """
    read = [_read_product(part) for part in text.replace(" ", "").split("+")]
    directions = max(max(degrees) for _, degrees in read)
    terms = [Term(c, tuple(d.get(i + 1, 0) for i in range(directions))) for c, d in read]
    for place in range(directions):
        if not any(term.degrees[place] for term in terms):
            raise ValueError(f"link must use z1 to z{directions}; {text} lacks z{place + 1}")
    if len({term.degrees for term in terms}) < len(terms):
        raise ValueError(f"every term of a link may occur once, got {text}")
    if max(term.degree for term in terms) > HIGHEST:
        raise ValueError(f"terms of a link have degree {HIGHEST} at most, got {text}")
    size = sqrt(sum(term.coefficient**2 for term in terms))
    return tuple(Term(term.coefficient / size, term.degrees) for term in terms)


def _read_product(text: str) -> tuple[float, dict[int, int]]:
    """Coefficient, and degrees by direction, of a product such as 0.5*z1*he2(z3)."""
    numbers, degrees = [], {}
    for factor in text.split("*"):
        found = VARIABLE.fullmatch(factor)
        if found:
            plain, degree, inside = found.groups()
            direction = int(plain or inside)
            if direction in degrees:
                raise ValueError(f"z{direction} occurs twice in {text}: write he2(z{direction})")
            degrees[direction] = int(degree or 1)
        elif NUMBER.fullmatch(factor) and float(factor) > 0:
            numbers.append(float(factor))
        else:
            raise ValueError(
                f'cannot read "{factor}" in a link: write a sum of products of z1, z2, ..., '
                "he2(z1), ... and positive numbers, such as z1+z1*z2"
            )
    if not degrees:
        raise ValueError(f'the term "{text}" of a link reads no direction')
    return prod(numbers), degrees


def information_exponent(terms: Sequence[Term]) -> int:
    """Smallest degree of a term (Ben Arous, Gheissari & Jagannath 2021)."""
    return min(term.degree for term in terms)


def leap(terms: Sequence[Term]) -> int:
    """Leap complexity in the basis of the directions (Abbe, Boix-Adsera & Misiakiewicz 2023).

    Terms are learned in an order of their own choice, and each costs the sum of its degrees in
    directions that none before it reads; the leap is the largest cost, in the best order. Since
    costs only fall as directions become known, always taking the cheapest is best.
    """
    known: set[int] = set()
    rest, largest = list(terms), 0

    def cost(term: Term) -> int:
        return sum(d for place, d in enumerate(term.degrees) if place not in known)

    while rest:
        cheapest = min(rest, key=cost)
        largest = max(largest, cost(cheapest))
        rest.remove(cheapest)
        known |= {place for place, d in enumerate(cheapest.degrees) if d}
    return largest
