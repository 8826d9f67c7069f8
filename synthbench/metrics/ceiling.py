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


def is_higher_better(scales: Iterable[tuple[float, float]]) -> bool:
    """Whether the ceiling lies above the trivial reference; scales: what the two score, by replica.

    Of all replicas together: in some, the best known may be no better than trivial.
    """
    return any(ceiling > trivial for trivial, ceiling in scales)
