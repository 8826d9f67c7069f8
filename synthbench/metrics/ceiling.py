"""The reference at which progress is 1, in words: the optimum, or what stands in its place."""

from __future__ import annotations

from collections.abc import Iterable

OPTIMAL = "optimal"
BEST_KNOWN = "best-known"
"""The best of the references on each replica's own test set."""


def ceiling_words(ceiling: str) -> str:
    """`optimal`, `oracle`, `best known`."""
    return ceiling.replace("-", " ")


def ceiling_notes(ceilings: Iterable[str]) -> list[str]:
    """A line for each ceiling but the optimum: `progress is relative to the oracle`."""
    others = dict.fromkeys(ceiling for ceiling in ceilings if ceiling != OPTIMAL)
    return [f"progress is relative to the {ceiling_words(other)}" for other in others]
